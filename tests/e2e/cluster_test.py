"""What happens to clusters: processes that die, freeze or are told to leave, an API server that is away, a Lease that is lost."""
import http.client
import os
import signal
import threading
import time
import unittest

from chart import SYSTEMS, eventually, run
from installation import LEASE, LEASE_SECONDS, PODS, SLACK, InstalledTest, needs_the_node, takes_long


class ClusterTest(InstalledTest):
    def signal(self, pod, name):
        container = self.pods()[pod]["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        answer = run(["ctr", "tasks", "kill", "--signal", name, container])
        self.assertEqual(answer.returncode, 0, answer.stderr)

    @needs_the_node
    def test_A_leader_that_is_killed_amid_a_thousand_issuances_leaves_none_out_and_none_twice(self):
        certificates = self.namespace("killed")
        identity, pod = self.leader()
        maker = threading.Thread(target=self.create_apart, args=("killed", 1000))
        begin = time.monotonic()
        maker.start()
        eventually(lambda: len(certificates.of) > 150, "no certificates are made", 60)
        self.signal(pod, "SIGKILL")
        made = len(certificates.of)
        gap = self.seconds_until_another_leads(identity)
        maker.join()
        self.await_ready("killed", 1000)
        self.each_once(certificates, 1000)
        self.tell(f"SIGKILL after {made} of 1000: another leads after {gap:.1f} s, all done after {time.monotonic() - begin:.1f} s")
        self.assertLess(gap, LEASE_SECONDS + 2 + SLACK)
        self.leave("killed")

    def test_A_leader_that_is_told_to_leave_hands_over_at_once(self):
        certificates = self.namespace("left")
        identity, pod = self.leader()
        self.create("left", 50)
        self.api("DELETE", f"{PODS}/{pod}")
        gap = self.seconds_until_another_leads(identity)
        self.await_ready("left", 50)
        self.each_once(certificates, 50)
        self.tell(f"SIGTERM: another leads after {gap:.1f} s")
        self.assertLess(gap, 2 + SLACK)
        self.leave("left")

    @needs_the_node
    @takes_long
    def test_A_leader_that_was_frozen_writes_nothing_when_it_wakes(self):
        certificates = self.namespace("frozen")
        identity, pod = self.leader()
        self.create("frozen", 100)
        eventually(lambda: certificates.of, "no certificates are made")
        self.signal(pod, "SIGSTOP")
        try:
            gap = self.seconds_until_another_leads(identity)
            self.await_ready("frozen", 100)
            self.create("frozen", 20, first=100)
            self.await_ready("frozen", 120)
            time.sleep(max(0, 30 - gap))
            writes, versions = certificates.writes, self.versions("frozen")
        finally:
            self.signal(pod, "SIGCONT")
        successor = self.holder()
        self.assertNotEqual(successor, identity)
        eventually(lambda: "leading no longer" in self.log(pod), "the woken one does not notice", 60)
        time.sleep(3)
        self.assertEqual(certificates.writes, writes)
        self.assertEqual(self.versions("frozen"), versions, "a status was written")
        self.assertEqual(self.holder(), successor)
        self.assertLess(gap, LEASE_SECONDS + 2 + SLACK)
        self.each_once(certificates, 120)
        self.tell(f"SIGSTOP: another leads after {gap:.1f} s")
        self.leave("frozen")

    def versions(self, namespace):
        return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in self.api("GET", SYSTEMS.format(namespace))[1]["items"]}

    def log(self, pod):
        return self.api("GET", f"{PODS}/{pod}/log?tailLines=10")[1]

    @needs_the_node
    @takes_long
    def test_An_API_server_that_is_away_for_a_minute_is_waited_for(self):
        certificates = self.namespace("away")
        self.create("away", 20)
        self.await_ready("away", 20)
        restarts = {name: pod["status"]["containerStatuses"][0]["restartCount"] for name, pod in self.pods().items()}
        server = run(["pgrep", "-x", "kube-apiserver"]).stdout.split()
        self.assertEqual(len(server), 1)
        os.kill(int(server[0]), signal.SIGSTOP)
        try:
            time.sleep(60)
        finally:
            os.kill(int(server[0]), signal.SIGCONT)
        begin = time.monotonic()
        eventually(lambda: self.answers(), "the API server does not come back", 60)
        self.create("away", 20, first=20)
        self.await_ready("away", 40)
        self.tell(f"API server away for a minute: new systems are ready {time.monotonic() - begin:.1f} s after its return")
        self.each_once(certificates, 40)
        self.assertEqual({name: pod["status"]["containerStatuses"][0]["restartCount"] for name, pod in self.pods().items()}, restarts)
        self.leave("away")

    def answers(self):
        try:
            return self.api("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            self.api.connection.close()
            return False

    @takes_long
    def test_A_Lease_that_is_deleted_or_stolen_comes_back(self):
        certificates = self.namespace("lease")
        identity, _ = self.leader()
        self.api("DELETE", LEASE)
        eventually(lambda: self.holder() != "", "no Lease comes back", 60)
        self.create("lease", 10)
        self.await_ready("lease", 10)
        self.api.patch(LEASE, {"spec": {"holderIdentity": "thief"}})
        gap = self.seconds_until_another_leads("thief")
        self.create("lease", 10, first=10)
        self.await_ready("lease", 20)
        self.each_once(certificates, 20)
        self.tell(f"Lease stolen: it is back after {gap:.1f} s ({'the same' if self.holder() == identity else 'another'} leads)")
        self.leave("lease")


if __name__ == "__main__":
    unittest.main()
