"""The platform as a caller: it reads the catalogue of a peer, and makes no other call."""

import json
import ssl
import urllib.error
import urllib.request

PREFIX = "/api/v1/system/federation_api"
SECONDS_MAX = 10


class Client:
    def __init__(self, platform, trust):
        self.platform, self.trust = platform, trust

    def catalog(self, peer):
        """Reads the catalogue from the first endpoint as listed. The server is verified against the system's roots."""
        endpoints = peer["endpoints"] or [{"url": peer["remote_instance_url"]}]
        request = urllib.request.Request(
            endpoints[0]["url"].rstrip("/").removesuffix(PREFIX) + PREFIX + "/service_catalog",
            headers={"Accept": "application/json",
                     "User-Agent": f"Powernode-FederationClient/1.0 (peer-id:{peer['id']})"})
        context = ssl.create_default_context(cafile=self.trust)
        if self.platform.generation.has_certificates:
            name = peer["call_as"] or self.platform.subject_of(peer["id"])
            context.load_cert_chain(*self.platform.authority.leaf(str(name)))
        with urllib.request.urlopen(request, timeout=SECONDS_MAX, context=context) as response:
            return json.load(response).get("data")

    def reaches(self, peer):
        """Returns whether the peer answered, with any status, and what it was."""
        try:
            self.catalog(peer)
        except urllib.error.HTTPError as error:
            return True, f"Remote peer returned error: {error.code}"
        except OSError as error:
            return False, f"Could not reach peer: {error}"
        return True, "the catalogue of the peer was read"
