"use strict";
(() => {
  const form = document.getElementById("filter");
  const count = document.getElementById("count");
  const rows = [...document.querySelectorAll("tr[data-verdict]")];
  const groups = [...document.querySelectorAll("tbody[data-group]")];
  const names = ["commitment", "aspect", "verdict", "basis"];

  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      const fits = names.every((name) => !form.elements[name].value || form.elements[name].value === row.dataset[name]);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const group of groups) {
      group.hidden = ![...group.querySelectorAll("tr[data-verdict]")].some((row) => !row.hidden);
    }
    count.textContent = `${shown} of ${rows.length} checks`;
  };

  const keep = () => {
    const chosen = new URLSearchParams();
    for (const name of names) {
      if (form.elements[name].value) chosen.set(name, form.elements[name].value);
    }
    history.replaceState(null, "", `#${chosen.toString() || "checks"}`);
    apply();
  };

  const clear = () => {
    for (const name of names) form.elements[name].value = "";
  };

  // An address ends with the filters, as in #verdict=broken, or with the id of a row or a section.
  const follow = () => {
    const end = location.hash.slice(1);
    const chosen = new URLSearchParams(end);
    if (names.some((name) => chosen.has(name))) {
      clear();
      for (const name of names) {
        const wanted = chosen.get(name) ?? "";
        if ([...form.elements[name].options].some((option) => option.value === wanted)) form.elements[name].value = wanted;
      }
      apply();
      document.getElementById("checks").scrollIntoView();
      return;
    }
    const place = document.getElementById(decodeURIComponent(end));
    if (place && place.closest("[hidden]")) {
      clear();
      apply();
    }
    if (place && place.tagName === "DETAILS") place.open = true;
    if (place) place.scrollIntoView();
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("change", keep);
    form.addEventListener("reset", () => setTimeout(keep));
    form.addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("hashchange", follow);
    apply();
    if (location.hash) follow();
  }
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
