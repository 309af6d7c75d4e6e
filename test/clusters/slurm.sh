#!/bin/bash
# A real Slurm of four nodes on this machine, for tests: `slurm.sh up FOLDER`, `slurm.sh down FOLDER`.
#
# Needs root and Debian's packages (installed by `up` where apt can). Everything lies in FOLDER: configuration
# (clients: SLURM_CONF=FOLDER/etc/slurm.conf), state, logs, munge's key and socket, the accounting database. Nothing of
# the machine's own is touched, neither /etc/slurm nor /etc/hosts nor its munge. Each node is a slurmd in namespaces of
# its own: host name, processes, a private /etc/hosts. Killing the namespace ends all that a node ever started.
#   PORT       of the controller; the database has PORT+1, node N PORT+10+N (default 27817)
#   ACCOUNTING 1: with sacct (slurmdbd and a MariaDB on a unix socket)
#   MEMORY     1: a job has the memory that it asked for and no more, by memory cgroups of version 1 (kept where the
#              machine has none that may be made: etc/cgroup.conf is not there then)
# Exit status 3: it cannot be on this machine, and the last line says why.
set -u
ACTION=${1:?up or down} BASE=$(realpath -m "${2:?a folder}") PORT=${PORT:-27817} ACCOUNTING=${ACCOUNTING:-1} MEMORY=${MEMORY:-1}
NODES=4
GROUP=/sys/fs/cgroup/memory/$(basename "$BASE")
export SLURM_CONF=$BASE/etc/slurm.conf TMPDIR=$BASE/tmp
cannot() { echo "$*"; exit 3; }
fail() { echo "$*" >&2; tail -n 3 "$BASE"/log/* >&2; down; exit 1; }
# Waits until a command succeeds, in tenths of a second.
until_ok() { local n=$1; shift; while ! "$@" >/dev/null 2>&1; do n=$((n - 1)); [ $n -gt 0 ] || return 1; sleep 0.1; done; }

down() {
  local file pid
  for file in "$BASE"/pid/node*.pid "$BASE"/pid/slurmctld.pid "$BASE"/pid/slurmdbd.pid "$BASE"/pid/mariadbd.pid "$BASE"/pid/munged.pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    # Only what was started from here: its command line names this folder.
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$BASE" || tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qxF "SLURM_CONF=$SLURM_CONF" || continue
    kill -9 "$pid" 2>/dev/null
  done
  # The kernel lets go of a group a moment after its last process: the innermost first.
  [ ! -d "$GROUP" ] || until_ok 50 sh -c "find '$GROUP' -depth -type d -exec rmdir {} + ; ! [ -d '$GROUP' ]"
  rm -rf "$BASE"
}
if [ "$ACTION" = down ]; then down; exit 0; fi

[ "$(id -u)" = 0 ] || cannot 'a Slurm cluster needs root'
unshare --uts --pid --fork --mount --mount-proc true 2>/dev/null || cannot 'a Slurm cluster needs namespaces (unshare is not allowed here)'
packages='slurmctld slurmd slurm-client munge'
[ "$ACCOUNTING" = 0 ] || packages="$packages slurmdbd mariadb-server"
missing=''
for package in $packages; do dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"; done
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || cannot "not installed:$missing"
  policy=/usr/sbin/policy-rc.d
  # No daemon of a package starts by itself.
  [ -e $policy ] && made='' || { made=1; printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; }
  DEBIAN_FRONTEND=noninteractive TMPDIR=/tmp timeout 240 sh -c "apt-get -qq update; apt-get -qq install -y --no-install-recommends $missing" >/dev/null 2>&1
  status=$?
  [ -z "$made" ] || rm -f $policy
  [ $status = 0 ] || cannot "not installed, and apt cannot:$missing"
fi

# `unshared` is a folder that the nodes see empty: a file system that they do not share.
mkdir -p "$BASE"/{etc,state,log,pid,dev,tmp,munge,db,unshared} || exit 1
chmod 755 "$BASE"; chmod 1777 "$BASE/tmp"; chmod 700 "$BASE/munge"
{ grep -v 'node[1-4]' /etc/hosts; for i in $(seq $NODES); do echo "127.0.0.1 node$i"; done; } >"$BASE/etc/hosts"
for i in $(seq 0 7); do mknod "$BASE/dev/nvidia$i" c 1 3; done
echo "NodeName=node[1-$NODES] Name=gpu Type=test File=$BASE/dev/nvidia[0-7]" >"$BASE/etc/gres.conf"
storage='AccountingStorageType=accounting_storage/none'
[ "$ACCOUNTING" = 0 ] || storage="AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=$((PORT + 1))
AccountingStoragePass=$BASE/munge/socket"
tasks='TaskPlugin=task/none
SelectTypeParameters=CR_Core'
# Each node's groups lie in one of this cluster: they are seen through a mount of its own.
if [ "$MEMORY" = 1 ] && mkdir "$GROUP" 2>/dev/null && [ -e "$GROUP/memory.limit_in_bytes" ]; then
  mkdir -p "$BASE/cgroup/memory"
  printf 'CgroupPlugin=cgroup/v1\nCgroupMountpoint=%s\nConstrainRAMSpace=yes\n' "$BASE/cgroup" >"$BASE/etc/cgroup.conf"
  tasks='TaskPlugin=task/cgroup
SelectTypeParameters=CR_Core_Memory
DefMemPerNode=2500'
fi
cat >"$BASE/etc/slurm.conf" <<EOF
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
SlurmctldPort=$PORT
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$BASE/munge/socket,cred_expire=5
StateSaveLocation=$BASE/state
SlurmdSpoolDir=$BASE/spool.%n
SlurmctldPidFile=$BASE/pid/slurmctld.pid
SlurmdPidFile=$BASE/spool.%n/pid
SlurmctldLogFile=$BASE/log/slurmctld
SlurmdLogFile=$BASE/log/%n
ProctrackType=proctrack/linuxproc
$tasks
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
ReturnToService=2
SchedulerParameters=bf_interval=1,batch_sched_delay=0,sched_min_interval=10000
MinJobAge=${MIN_JOB_AGE:-20}
KillWait=4
OverTimeLimit=0
SlurmdTimeout=15
MessageTimeout=5
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
$storage
GresTypes=gpu
NodeName=node[1-$NODES] NodeAddr=127.0.0.1 Port=[$((PORT + 11))-$((PORT + 10 + NODES))] CPUs=8 RealMemory=40000 Gres=gpu:test:8 State=UNKNOWN
PartitionName=batch Nodes=ALL Default=YES DefaultTime=00:30:00 MaxTime=INFINITE PriorityTier=10 State=UP
PartitionName=short Nodes=ALL MaxTime=00:05:00 PriorityTier=10 State=UP
PartitionName=low Nodes=ALL MaxTime=INFINITE PriorityTier=1 State=UP
EOF

export MUNGE_SOCKET=$BASE/munge/socket
head -c 128 /dev/urandom >"$BASE/munge/key"; chmod 600 "$BASE/munge/key"
munged --force --socket="$BASE/munge/socket" --key-file="$BASE/munge/key" --pid-file="$BASE/pid/munged.pid" \
  --log-file="$BASE/log/munged" --seed-file="$BASE/munge/seed" >"$BASE/log/munged.start" 2>&1 </dev/null || fail "munged: $(tail -n 1 "$BASE/log/munged.start")"
chmod 755 "$BASE/munge"
until_ok 50 sh -c "munge -S '$BASE/munge/socket' -n | unmunge -S '$BASE/munge/socket'" || fail 'munged does not answer'

if [ "$ACCOUNTING" != 0 ]; then
  chown mysql:mysql "$BASE/db"
  mariadb-install-db --no-defaults --user=mysql --datadir="$BASE/db" --tmpdir="$BASE/tmp" --auth-root-authentication-method=socket \
    --skip-test-db >"$BASE/log/mariadb-install" 2>&1 </dev/null || fail "mariadb-install-db: $(tail -n 1 "$BASE/log/mariadb-install")"
  setsid mariadbd --no-defaults --user=mysql --datadir="$BASE/db" --tmpdir="$BASE/tmp" --socket="$BASE/db/socket" --skip-networking \
    --skip-log-bin --innodb-buffer-pool-size=64M --innodb-log-file-size=16M --innodb-flush-log-at-trx-commit=0 --innodb-lock-wait-timeout=900 \
    >"$BASE/log/mariadb" 2>&1 </dev/null &
  echo $! >"$BASE/pid/mariadbd.pid"
  until_ok 300 mariadb-admin --no-defaults --socket="$BASE/db/socket" ping || fail 'mariadbd does not answer'
  (umask 077; cat >"$BASE/etc/slurmdbd.conf" <<EOF
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((PORT + 1))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$BASE/munge/socket
LogFile=$BASE/log/slurmdbd
PidFile=$BASE/pid/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
EOF
  )
  MYSQL_UNIX_PORT=$BASE/db/socket slurmdbd </dev/null >"$BASE/log/slurmdbd.start" 2>&1 || fail 'slurmdbd does not start'
  until_ok 300 sacctmgr -n show cluster || fail 'slurmdbd does not answer'
  sacctmgr -i add cluster test >/dev/null 2>&1
fi

slurmctld -f "$SLURM_CONF" </dev/null >"$BASE/log/slurmctld.start" 2>&1 || fail "slurmctld: $(tail -n 1 "$BASE/log/slurmctld.start")"
until_ok 100 sh -c 'scontrol ping | grep -q "is UP"' || fail 'slurmctld does not answer'
for i in $(seq $NODES); do
  mkdir -p "$BASE/spool.node$i"
  setsid unshare --uts --pid --fork --mount --mount-proc --kill-child sh -c "mount --bind '$BASE/etc/hosts' /etc/hosts; mount -t tmpfs none '$BASE/unshared'; [ ! -d '$BASE/cgroup' ] || mount --bind '$GROUP' '$BASE/cgroup/memory'; hostname node$i; slurmd -D -N node$i -f '$SLURM_CONF'; :" \
    >"$BASE/log/node$i.start" 2>&1 </dev/null &
  echo $! >"$BASE/pid/node$i.pid"
done
ready() { [ "$(sinfo -h -N -p batch -o %T | grep -cx idle)" = $NODES ]; }
until_ok 300 ready || fail "the nodes do not come: $(sinfo -h -N -p batch -o '%N %T' | tr '\n' ' ')"
echo "Slurm $(sinfo --version)"
