#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# static_talk.sh BUILD: two parties with fixed addresses talk through the dataplane's software NIC,
# without SIP. In a network namespace of its own; needs root. Exits 77 where it cannot run.
set -eu
build=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
if [ "${STATIC_TALK_INSIDE:-}" != 1 ]; then
	unshare --net true 2>/dev/null && [ -c /dev/net/tun ] || exit 77
	# On a machine too busy to give the worker its ticks, nothing can be said of gaps: once more.
	for try in 1 2 3; do
		STATIC_TALK_INSIDE=1 unshare --net "$here/static_talk.sh" "$build" >"/tmp/talk.$$" 2>&1 &&
			result=0 || result=$?
		cat "/tmp/talk.$$"
		grep -q '^counter ticks_skipped' "/tmp/talk.$$" && again=1 || again=0
		rm -f "/tmp/talk.$$"
		[ "$result" != 0 ] && [ "$again" = 1 ] || exit "$result"
		echo "try $try failed while ticks were skipped"
	done
	exit "$result"
fi
dir=$(mktemp -d)
dataplane=
finish() {
	[ -z "$dataplane" ] || { kill -TERM "$dataplane" 2>/dev/null || true; wait "$dataplane" || true; }
	rm -rf "$dir"
}
trap finish EXIT
ip link set lo up
"$build/dataplane/cordboard-dataplane" --media-address 10.77.0.2/24 \
	--vdev net_tap0,iface=cbtalk0,mac=02:63:6f:72:64:02 --attach-socket "$dir/dp.sock" \
	--file-prefix "talk$$" --workers 2 --ports 64 --rooms 64 --mbufs 8191 2>"$dir/log" &
dataplane=$!
for _ in $(seq 100); do [ -S "$dir/dp.sock" ] && break; sleep 0.1; done
ip addr add 10.77.0.1/24 dev cbtalk0
ip link set cbtalk0 up
# The second port is opened on another worker than the room, and moves there.
"$build/tests/dataplane/static_talk" "$dir/dp.sock" 10.77.0.1:4000 10.77.0.1:4002 5 0 1 >"$dir/talk" &
talk=$!
for _ in $(seq 50); do grep -q talking "$dir/talk" && break; sleep 0.1; done
"$here/talker.py" 10.77.0.1:4000 10.77.0.2:20000 440 1000 3 &
one=$!
"$here/talker.py" 10.77.0.1:4002 10.77.0.2:20002 1000 440 3 &
two=$!
result=0
wait "$one" || result=1
wait "$two" || result=1
wait "$talk" || result=1
cat "$dir/talk"
[ "$result" = 0 ] || cat "$dir/log"
exit "$result"
