"""The alerts, evaluated by Prometheus: which fire, and when."""
import json
import pathlib
import re
import tempfile
import unittest

import yaml

from chart import ROOT, only, optional_program, render, run

DAY = 86400
LEFT = 'certpair_certificate_seconds_to_expiry{namespace="idm",name="hr"}'
STALLED = 'certpair_watch_stalled_seconds{resource="secrets"}'
LEFT_OUT = 'certpair_objects_left_out{resource="namespaces"}'
# No alert fires for these: a certificate that expires in a month, and one leader of two replicas.
WELL = {LEFT: f"{30 * DAY}x2000", 'certpair_leader{pod="a"}': "1x2000", 'certpair_leader{pod="b"}': "0x2000"}

# (case, series added to WELL or replacing them, a sample each minute; the minute; the alerts that fire)
ROWS = [
    ("all is well", {}, 1700, []),
    ("expired", {LEFT: "-1x100"}, 1, ["CertpairCertificateExpired"]),
    ("both replicas say so", {LEFT: "-1x100", LEFT.replace("}", ',pod="b"}'): "-1x100"}, 1, ["CertpairCertificateExpired"]),
    ("two days left, at first", {LEFT: f"{2 * DAY}x2000"}, 10, []),
    ("two days left", {LEFT: f"{2 * DAY}x2000"}, 20, ["CertpairCertificateNotRenewed"]),
    ("ten days left: regeneration has a day", {LEFT: f"{10 * DAY}x2000"}, 1500, []),
    ("ten days left, for longer", {LEFT: f"{10 * DAY}x2000"}, 1600, ["CertpairCertificateExpiring"]),
    ("no leader, during a failover", {'certpair_leader{pod="a"}': "0x100"}, 4, []),
    ("no leader", {'certpair_leader{pod="a"}': "0x100"}, 6, ["CertpairNoLeader"]),
    ("no replica", {'certpair_leader{pod="a"}': "stale", 'certpair_leader{pod="b"}': "stale"}, 20, ["CertpairNoLeader"]),
    ("two lead", {'certpair_leader{pod="b"}': "1x100"}, 6, ["CertpairTwoLeaders"]),
    ("passes fail", {'certpair_errors_total{kind="Conflict"}': "0+6x100"}, 50, ["CertpairPassesFail"]),
    ("a pass failed", {'certpair_errors_total{kind="Conflict"}': "0x10 1x90"}, 50, []),
    ("a recipient is refused", {'certpair_notifications_total{outcome="refused"}': "0x5 1x95"}, 10, ["CertpairMailFails"]),
    ("a mail is given up", {'certpair_notifications_total{outcome="given-up"}': "0x5 1x95"}, 10, ["CertpairMailFails"]),
    ("mails are sent", {'certpair_notifications_total{outcome="sent"}': "0+1x200"}, 190, []),
    ("mails wait", {'certpair_notifications_total{outcome="delayed"}': "0+1x200", 'certpair_notifications_total{outcome="sent"}': "5x200"}, 190,
     ["CertpairMailDelayed"]),
    ("some mails wait", {'certpair_notifications_total{outcome="delayed"}': "0+1x200", 'certpair_notifications_total{outcome="sent"}': "0+1x200"}, 190, []),
    ("a watch stalls, at first", {STALLED: "0+60x200"}, 9, []),
    ("a watch stalls", {STALLED: "0+60x200"}, 11, ["CertpairWatchStalled"]),
    ("a watch stalls at one of two replicas", {STALLED: "0x200", STALLED.replace("}", ',pod="b"}'): "0+60x200"}, 11, ["CertpairWatchStalled"]),
    ("a watch stalled and goes on", {STALLED: "0+60x8 0x100"}, 30, []),
    ("an object is too large, at first", {LEFT_OUT: "1x100"}, 9, []),
    ("an object is too large", {LEFT_OUT: "1x100"}, 11, ["CertpairObjectsLeftOut"]),
    ("an object was too large", {LEFT_OUT: "1x30 0x70"}, 50, []),
    ("watches restart", {'certpair_watch_restarts_total{resource="secrets"}': "0+3x100"}, 50, ["CertpairWatchesRestart"]),
    ("the API server fails", {'certpair_api_requests_total{verb="GET",resource="secrets",code="503"}': "0+30x100"}, 50, ["CertpairApiServerFails"]),
    ("the API server does not answer", {'certpair_api_requests_total{verb="GET",resource="secrets",code="0"}': "0+30x100"}, 50, ["CertpairApiServerFails"]),
    ("the API server answers", {'certpair_api_requests_total{verb="GET",resource="secrets",code="200"}': "0+30x100"}, 50, []),
]


def rules():
    return only(render({"metrics": {"prometheusRule": {"enabled": True}}}), "PrometheusRule")["spec"]


def board():
    return json.loads(only(render({"metrics": {"dashboard": {"enabled": True}}}), "ConfigMap")["data"]["certpair.json"])


class AlertsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.promtool = optional_program("promtool", "the alerts' tests")
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def ask(self, verb, name, content):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(yaml.safe_dump(content))
        answer = run([self.promtool, *verb, path])
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)

    def test_Prometheus_accepts_the_alerts(self):
        self.ask(("check", "rules", "--lint-fatal"), "rules.yaml", rules())

    def test_Each_alert_fires_when_it_should_and_not_before(self):
        (pathlib.Path(self.folder.name) / "rules.yaml").write_text(yaml.safe_dump(rules()))
        tests = []
        for what, series, minute, fire in ROWS:
            tests.append({
                "name": what, "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in {**WELL, **series}.items()],
                "promql_expr_test": [{"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": f"{minute}m",
                                      "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in fire]}]})
        self.ask(("test", "rules"), "tests.yaml", {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests})

    def test_Each_alert_has_a_row(self):
        self.assertEqual({rule["alert"] for group in rules()["groups"] for rule in group["rules"]}, {name for *_, fire in ROWS for name in fire})

    def test_Prometheus_accepts_the_queries_of_the_dashboard(self):
        asked = [target["expr"] for panel in board()["panels"] for target in panel["targets"]]
        records = [{"record": f"panel:{number}", "expr": re.sub(r"\$__rate_interval", "5m", expression)} for number, expression in enumerate(asked)]
        self.assertNotIn("$", "".join(record["expr"] for record in records))
        self.ask(("check", "rules"), "board.yaml", {"groups": [{"name": "board", "rules": records}]})


class LabelsTest(unittest.TestCase):
    def test_Queries_use_only_labels_that_the_metrics_have(self):
        """Or one of the scrape's."""
        source = (ROOT / "src/metrics/registry.cpp").read_text()
        family = re.compile(r'"(certpair_[a-z_]+)",.*?\{((?:"[a-z]+"(?:, )?)+)\}', re.DOTALL)
        own = {name: set(re.findall(r'"([a-z]+)"', labels)) for name, labels in family.findall(source)}
        expressions = [rule["expr"] for group in rules()["groups"] for rule in group["rules"]]
        expressions += [target["expr"] for panel in board()["panels"] for target in panel["targets"]]
        asked = [(name, label) for expression in expressions for name, selected in re.findall(r"(certpair_[a-z_]+)\{([^}]*)\}", expression)
                 for label in re.findall(r"([a-z]+)(?:=|!)", selected)]
        self.assertGreater(len(asked), 3)
        for name, label in asked:
            self.assertIn(label, own[re.sub(r"_(bucket|sum|count)$", "", name)] | {"namespace", "pod", "job"}, name)


if __name__ == "__main__":
    unittest.main()
