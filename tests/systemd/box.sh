#!/bin/bash
# A real systemd (PID 1) in private namespaces, over a throw-away overlay of this machine's root.
#   box.sh start STATE [--bind HOST[:BOX]]... [--logind] [--until-eof]
#   box.sh exec STATE -- CMD...         CMD as root in the box
#   box.sh poweroff STATE [SECONDS]     an orderly shutdown; STATE/journal stays
#   box.sh stop STATE                   kills the box, removes STATE
# --until-eof: when standard input, a pipe that only the caller holds, ends, the box is stopped: a
# caller that is killed leaves nothing behind.
# STATE/pid: PID 1 of the box, as seen from outside. STATE/boot.log: the set-up's output.
# STATE/journal: the box's journal, also after its end.
# The network is a loopback with the metadata services' addresses on it: a server in the box
# answers on the real addresses, and no packet leaves. Nothing of the host's root is written; only
# the box's PID 1 is ever signalled, and the kernel ends its PID namespace. BOX_MAX_SEC (300): its
# life.
# Exit status 77: this machine cannot have one (root, util-linux, overlayfs, cgroup2, systemd,
# dbus). Not real here: memory, pids and cpu limits where the host has cgroup v1 for them. The box's
# root is the host's for /proc/sys: a test writes none.
set -u
self=$(readlink -f "$0")

die() {
  echo "box: $*" >&2
  exit 1
}
cannot() {
  echo "box: $*" >&2
  exit 77
}

# ---- inside: PID 1 of the new namespaces, until systemd is executed

mounts() { # ROOT: what systemd must find in a container (systemd.io/CONTAINER_INTERFACE)
  local root=$1 device numbers
  mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
  mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
  mount -t cgroup2 -o rw,nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=0755,nosuid,strictatime tmpfs "$root/dev"
  for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    numbers=${device#*:}
    mknod -m 666 "$root/dev/${device%%:*}" c "${numbers%:*}" "${numbers#*:}"
  done
  mkdir -p "$root"/dev/{pts,shm,mqueue}
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s /proc/self/fd/0 "$root/dev/stdin"
  ln -s /proc/self/fd/1 "$root/dev/stdout"
  ln -s /proc/self/fd/2 "$root/dev/stderr"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
  mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
  mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/var/log"
  mkdir -p "$root/run/log/journal" "$root/var/log/journal"
}

units() { # ROOT LOGIND: nothing of the host's own services starts
  local units=$1/etc/systemd/system generators=$1/etc/systemd/system-generators name
  rm -rf "$units"
  mkdir -p "$units" "$generators" "$1"/etc/systemd/{system,journald}.conf.d
  cat >"$units/box.target" <<'T'
[Unit]
Requires=basic.target dbus.socket systemd-user-sessions.service
Wants=dbus.service multi-user.target
After=basic.target dbus.service
AllowIsolate=yes
T
  ln -s box.target "$units/default.target"
  for name in systemd-{udevd,udev-trigger,networkd,resolved,timesyncd,modules-load}.service \
    systemd-{sysctl,binfmt,remount-fs,hwdb-update,random-seed,pstore,firstboot}.service \
    systemd-{machine-id-commit,update-utmp,update-utmp-runlevel}.service \
    systemd-udevd-{control,kernel}.socket systemd-ask-password-{wall,console}.path \
    systemd-pcrphase{,-sysinit,-initrd}.service getty.target getty-static.service \
    console-getty.service serial-getty@.service dev-hugepages.mount dev-mqueue.mount \
    sys-kernel-{debug,tracing,config}.mount sys-fs-fuse-connections.mount \
    proc-sys-fs-binfmt_misc.automount {apt-daily,apt-daily-upgrade,e2scrub_all,fstrim}.timer \
    {dpkg-db-backup,man-db,logrotate,systemd-tmpfiles-clean}.timer \
    e2scrub_reap.service rc-local.service; do
    ln -sf /dev/null "$units/$name"
  done
  if [ "$2" = 0 ]; then
    ln -sf /dev/null "$units/systemd-logind.service"
    # Else systemctl poweroff would ask it first.
    ln -sf /dev/null "$units/dbus-org.freedesktop.login1.service"
  fi
  # Mounted to the very end: the journal of a shutdown.
  for name in var-log var-log-journal tmp; do
    mkdir -p "$units/$name.mount.d"
    printf '[Unit]\nDefaultDependencies=no\n' >"$units/$name.mount.d/keep.conf"
  done
  for name in sysv fstab gpt-auto; do ln -sf /dev/null "$generators/systemd-$name-generator"; done
  cat >"$1/etc/systemd/system.conf.d/box.conf" <<'T'
[Manager]
DefaultTimeoutStopSec=20s
DefaultTimeoutStartSec=20s
ShowStatus=no
T
  cat >"$1/etc/systemd/journald.conf.d/box.conf" <<'T'
[Journal]
Storage=persistent
RateLimitIntervalSec=0
ReadKMsg=no
Audit=no
T
}

network() { # ROOT
  local address
  ip link set lo up
  ip addr add 169.254.169.254/32 dev lo
  for address in fd00:ec2::254 fd20:ce::254; do
    ip -6 addr add $address/128 dev lo nodad 2>/dev/null || true
  done
  printf '%s\n' '127.0.0.1 localhost pwbox' '::1 localhost' \
    '169.254.169.254 metadata.google.internal metadata' >"$1/etc/hosts"
}

inner() { # STATE LOGIND BIND...
  set -e
  local state=$1 logind=$2 root=$1/mnt/root bind from to
  shift 2
  mount --make-rprivate /
  mount -t tmpfs -o mode=0755,size=1G boxtmp "$state/mnt"
  mkdir -p "$state"/mnt/{up,work,root}
  mount -t overlay -o "lowerdir=/,upperdir=$state/mnt/up,workdir=$state/mnt/work" box "$root"
  mounts "$root"
  mount --bind "$state/journal" "$root/var/log/journal"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  echo pwbox >"$root/etc/hostname"
  hostname pwbox
  rm -f "$root/.dockerenv"
  : >"$root/etc/fstab"
  units "$root" "$logind"
  network "$root"
  for bind in "$@"; do
    from=${bind%%:*} to=${bind#*:}
    if [ -d "$from" ]; then mkdir -p "$root$to"; else install -D /dev/null "$root$to"; fi
    mount --bind "$from" "$root$to"
  done
  mkdir -p "$root/run/oldroot"
  cd "$root"
  pivot_root . run/oldroot
  cd /
  umount -l /run/oldroot
  rmdir /run/oldroot
  exec env -i container=pwbox container_uuid="$(cat /etc/machine-id)" LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=default.target --show-status=0 --log-target=journal
}

# ---- outside

start_time() { # PID: the 22nd field of stat; nothing of a zombie
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -r -a stat <<<"${stat##*) }"
  [[ ${stat[0]} != [ZX] ]] && echo "${stat[19]}"
}

alive() { # STATE: that very process
  [ -r "$1/start" ] && [ "$(start_time "$(cat "$1/pid")")" = "$(cat "$1/start")" ]
}

first_child() { awk '{print $1}' "/proc/$1/task/$1/children" 2>/dev/null; }

into() { # STATE CMD...: all namespaces of its PID 1
  local pid
  pid=$(cat "$1/pid")
  shift
  nsenter -t "$pid" -m -u -i -n -p -C -r -w -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    HOME=/root TERM=dumb SYSTEMD_PAGER= SYSTEMD_COLORS=0 "$@"
}

needs() {
  local tool
  [ "$(id -u)" = 0 ] || cannot "it takes root"
  for tool in unshare nsenter setpriv ip dbus-daemon systemctl /lib/systemd/systemd; do
    command -v $tool >/dev/null || cannot "no $tool"
  done
}

cmd_start() {
  local state=$1 logind=0 guard=0 binds=() cgroups outer pid='' i said=''
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --logind) logind=1 ;;
      --until-eof) guard=1 ;;
      --bind) binds+=("$2"); shift ;;
      *) die "unknown option $1" ;;
    esac
    shift
  done
  needs
  exec 3<&0 # a background process has no standard input else
  mkdir -p "$state/mnt" "$state/journal"
  state=$(cd "$state" && pwd)
  cgroups=$(awk '$9 == "cgroup2" || $10 == "cgroup2" {print $5; exit}' /proc/self/mountinfo)
  if [ -z "$cgroups" ]; then
    cgroups=$state/cgroups
    mkdir -p "$cgroups"
    mount -t cgroup2 none "$cgroups" || cannot "no cgroup2"
  fi
  mkdir "$cgroups/pwbox.$$" || cannot "no cgroup of our own in $cgroups"
  echo "$cgroups/pwbox.$$" >"$state/cgroup"
  # It joins the cgroup; unshare makes that the root of the box's cgroup namespace.
  (
    echo "$BASHPID" >"$cgroups/pwbox.$$/cgroup.procs"
    exec timeout -s KILL "${BOX_MAX_SEC:-300}" setpriv --pdeathsig KILL unshare --pid --mount \
      --cgroup --ipc --uts --net --fork --kill-child=SIGKILL --propagation private -- \
      "$BASH" "$self" inner "$state" $logind ${binds[@]+"${binds[@]}"}
  ) >"$state/boot.log" 2>&1 </dev/null 3<&- &
  outer=$!
  echo $outer >"$state/outer"
  if [ $guard = 1 ]; then
    setsid bash -c 'cat; exec "$@"' guard "$self" stop "$state" <&3 3<&- >/dev/null 2>&1 &
  fi
  for ((i = 0; i < 100; i++)); do
    pid=$(first_child $outer)
    [ -z "$pid" ] || pid=$(first_child "$pid")
    [ -z "$pid" ] || break
    kill -0 $outer 2>/dev/null || { cat "$state/boot.log" >&2; cannot "no namespaces"; }
    sleep 0.05
  done
  [ -n "$pid" ] || die "no PID 1"
  echo "$pid" >"$state/pid"
  start_time "$pid" >"$state/start"
  for ((i = 0; i < 600; i++)); do
    alive "$state" || { cat "$state/boot.log" >&2; cannot "it ended while it booted"; }
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = systemd ]; then
      said=$(into "$state" systemctl is-system-running 2>/dev/null)
      case $said in running) return 0 ;; degraded) break ;; esac
    fi
    sleep 0.05
  done
  into "$state" systemctl --failed --no-pager --plain >&2
  die "it is '$said'"
}

cmd_exec() {
  local state=$1
  shift
  [ "${1:-}" != -- ] || shift
  alive "$state" || die "not running"
  into "$state" "$@"
}

cmd_poweroff() {
  local i
  alive "$1" || die "not running"
  kill -s RTMIN+4 "$(cat "$1/pid")"
  for ((i = 0; i < ${2:-60} * 20; i++)); do
    alive "$1" || return 0
    sleep 0.05
  done
  die "not off after ${2:-60} s"
}

cmd_stop() {
  local state=$1 outer cgroup i
  [ -d "$state" ] || return 0
  if [ ! -d "$state/mnt" ] || [ ! -d "$state/journal" ]; then
    die "$state is no box's folder"
  fi
  state=$(cd "$state" && pwd)
  if alive "$state"; then
    kill -KILL "$(cat "$state/pid")" 2>/dev/null
    for ((i = 0; i < 200; i++)); do alive "$state" || break; sleep 0.02; done
  fi
  outer=$(cat "$state/outer" 2>/dev/null)
  if [ -n "$outer" ]; then
    for ((i = 0; i < 100; i++)); do
      grep -qs timeout "/proc/$outer/comm" || break
      sleep 0.02
    done
  fi
  cgroup=$(cat "$state/cgroup" 2>/dev/null)
  if [ -n "$cgroup" ]; then
    for ((i = 0; i < 100; i++)); do
      find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
      [ -d "$cgroup" ] || break
      sleep 0.02
    done
    [ ! -d "$cgroup" ] || echo "box: left $cgroup" >&2
  fi
  if mountpoint -q "$state/cgroups" 2>/dev/null; then umount "$state/cgroups"; fi
  rm -rf --one-file-system "$state"
}

case ${1:-help} in
  start | exec | poweroff | stop)
    command=$1
    shift
    [ $# -ge 1 ] || die "STATE missing"
    "cmd_$command" "$@"
    ;;
  inner) shift; inner "$@" ;;
  *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" ;;
esac
