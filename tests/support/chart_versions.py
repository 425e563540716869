"""The chart as two versions ago and as two versions on, made of the present one.

The older one lacks values, fields and columns that came later, and one policy. The newer one has fields in its status that
the present operator does not know. Each has a version of its own, and so names an image of its own.
"""
import pathlib
import re
import shutil

import yaml

from chart import CHART, SYSTEMS

POLICY = "certpair-fingerprint-peer"  # what the older one lacks
# Values that came later: `helm upgrade --reuse-values` from the older one has none of them.
LATER = {"smtp": ("heloName", "namespaceRate", "addressRate", "inFlight"), "controller": ("secretMetadataAllow",)}
FUTURE = {"fromTheFuture": "kept", "notifications": {"fromTheFuture": "kept"}}  # what the newer operator writes


def present():
    return yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]


def _version(steps):
    major, minor, patch = (int(number) for number in present().split("."))
    return f"{major}.{minor + steps}.{patch}" if minor + steps >= 0 else "0.0.1"


OLDER, NEWER = _version(-2), _version(+2)


def _copy(folder, version):
    chart = pathlib.Path(folder) / f"certpair-{version}"
    shutil.copytree(CHART, chart)
    about = chart / "Chart.yaml"
    text, count = re.subn(r"(?m)^(version|appVersion): .*$", rf"\1: {version}", about.read_text())
    assert count == 2, text
    about.write_text(text)
    return chart


def _change_kind(chart, change):
    path = chart / "files/crds/certpair.dev_provisioningsystems.yaml"
    crd = yaml.safe_load(path.read_text())
    version = crd["spec"]["versions"][0]
    change(version, version["schema"]["openAPIV3Schema"]["properties"])
    path.write_text(yaml.safe_dump(crd, sort_keys=False))


def strip_later_values(chart):
    """Takes the values of LATER away from the chart, as if it were made before they came."""
    path = chart / "values.yaml"
    values = yaml.safe_load(path.read_text())
    for group, names in LATER.items():
        for name in names:
            del values[group][name]
    path.write_text(yaml.safe_dump(values, sort_keys=False))


def older(folder):
    """A chart in `folder`: without spec.activation, status.nextTransition and its columns, the values of LATER, and POLICY."""
    chart = _copy(folder, OLDER)
    strip_later_values(chart)

    def change(version, properties):
        del properties["spec"]["properties"]["activation"], properties["status"]["properties"]["nextTransition"]
        version["additionalPrinterColumns"] = [c for c in version["additionalPrinterColumns"] if "nextTransition" not in c["jsonPath"]]
    _change_kind(chart, change)
    policies = chart / "templates/policies.yaml"
    documents = policies.read_text().split("\n---\n")
    kept = [document for document in documents if f"name: {POLICY}" not in document]
    assert len(kept) == len(documents) - 1
    policies.write_text("\n---\n".join(kept))
    return chart


def newer(folder):
    """A chart in `folder`: with the fields of FUTURE in status, and a column for one of them."""
    chart = _copy(folder, NEWER)

    def change(version, properties):
        field = {"type": "string", "maxLength": 16}
        properties["status"]["properties"]["fromTheFuture"] = field
        properties["status"]["properties"]["notifications"]["properties"]["fromTheFuture"] = field
        version["additionalPrinterColumns"].append({"name": "Future", "type": "string", "jsonPath": ".status.fromTheFuture"})
    _change_kind(chart, change)
    return chart


# What tells from a table which version's kinds are served: column -> is it there?
COLUMNS = {OLDER: {"Next": False, "Future": False}, present(): {"Next": True, "Future": False}, NEWER: {"Next": True, "Future": True}}


def serves(api, namespace, version):
    """Whether the API server prints systems as `version`'s kinds say."""
    status, table, _ = api("GET", SYSTEMS.format(namespace) + "?limit=1", accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    columns = [column["name"] for column in table["columnDefinitions"]] if status == 200 else []
    return bool(columns) and all((name in columns) == there for name, there in COLUMNS[version].items())
