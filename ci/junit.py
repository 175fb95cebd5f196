"""Validates JUnit files and reads them with other projects' readers: `junit.py FOLDER SCHEMAS RUN…`."""

import contextlib
import io
import json
import sys
from pathlib import Path

from junit2htmlreport.parser import Junit
from junitparser import Error, Failure, JUnitXml
from lxml import etree
from trcli.cli import Environment
from trcli.data_classes.data_parsers import MatchersParser
from trcli.readers.junit_xml import JunitParser

SCHEMAS = ("jenkins", "ant")


def main(folder, schemas, runs):
    schemas = {name: etree.XMLSchema(etree.parse(f"{schemas}/{name}.xsd")) for name in SCHEMAS}
    faults = [fault for run in runs for fault in faults_of(folder / run, schemas)]
    print(*faults, sep="\n")
    print(f"{len(runs)} files, {len(SCHEMAS)} schemas, {len(READERS)} readers, {len(faults)} faults")
    return 1 if faults else 0


def faults_of(run, schemas):
    """Yields what is wrong with the file of a run."""
    path = run / "junit.xml"
    for name, schema in schemas.items():
        if not schema.validate(etree.parse(path)):
            yield f"{path}: not valid for {name}: {schema.error_log[0].line}: {schema.error_log[0].message}"
    report = json.loads((run / "report.json").read_text())
    expected = cases_of(report)
    for reader in READERS:
        found = reader(path)
        print(f"{run.name}: {reader.__name__} reads {found}")
        if found != expected:
            yield f"{path}: {reader.__name__} reads {found}, the report has {expected}"


def cases_of(report):
    """Returns the numbers of the checks of a report: passed, and failed or in error."""
    if report.get("void"):
        return {"passed": 0, "failed": len(report["checks"])}
    verdicts = [check["result"]["verdict"] for check in report["checks"]]
    return {"passed": verdicts.count("kept"), "failed": verdicts.count("broken")}


def is_of_check(suite):
    """Warnings, attested aspects and what disturbed the run are no checks, and have suites of their own."""
    return suite not in ("Attested", "Known breaches", "Run", "Warnings")


def junitparser(path):
    cases = [case for suite in JUnitXml.fromfile(str(path)) if is_of_check(suite.name) for case in suite]
    has_failed = lambda case: any(isinstance(result, (Failure, Error)) for result in case.result)
    return counts((case.is_passed, has_failed(case)) for case in cases)


def junit2html(path):
    cases = [case for suite in Junit(str(path)).suites if is_of_check(suite.name) for case in suite.all()]
    return counts((case.outcome() == "passed", case.outcome() == "failed") for case in cases)


def testrail(path):
    environment = Environment()
    environment.file, environment.case_matcher, environment.special_parser = str(path), MatchersParser.AUTO, None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        suites = JunitParser(environment).parse_file()
    sections = [one for suite in suites for one in suite.testsections]
    cases = [case for one in sections if is_of_check(one.name) for case in one.testcases]
    return counts((case.result.status_id == 1, case.result.status_id == 5) for case in cases)


READERS = (junitparser, junit2html, testrail)


def counts(cases):
    cases = list(cases)
    return {"passed": sum(passed for passed, _ in cases), "failed": sum(failed for _, failed in cases)}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
