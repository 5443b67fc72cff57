#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SIPp's built-in scenarios against sip_echo_server over loopback: both directions, UDP with and
# without loss, TCP. Usage: sipp.sh SERVER; exits 77 (skipped) without sipp.
set -u
server=$1
command -v sipp >/dev/null || exit 77
dir=$(mktemp -d)
pid=
sipp_pid=
failures=0
trap 'kill $pid $sipp_pid 2>/dev/null; rm -rf "$dir"' EXIT

check() { # NAME STATUS
	if [ "$2" -eq 0 ]; then echo "ok   $1"; else echo "FAIL $1 ($2)"; failures=1; fi
}

start_server() {
	"$server" 127.0.0.1:0 >"$dir/server" &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -s "$dir/server" ] && break
		sleep 0.1
	done
	read -r udp tcp <"$dir/server"
}

uac() { # NAME PORT ARGS: SIPp calls us
	name=$1 port=$2
	shift 2
	(cd "$dir" && timeout 25 sipp -sn uac "127.0.0.1:$port" -i 127.0.0.1 -nostdin \
		-d 300 "$@" >/dev/null 2>"$dir/errors")
	check "$name" $?
}

uas() { # NAME ARGS: we call SIPp
	name=$1 transport=$2
	shift 2
	port=$((20000 + $$ % 20000 + ${#name}))
	(cd "$dir" && exec sipp -sn uas -i 127.0.0.1 -p $port -nostdin "$@" >/dev/null 2>&1) &
	sipp_pid=$!
	sleep 0.5
	# Under loss a BYE may stay unanswered: SIPp forgets a call after 4 s, the timer is 32 s.
	timeout 45 "$server" 127.0.0.1:0 call 127.0.0.1:$port 10 $transport
	check "$name" $?
	kill $sipp_pid 2>/dev/null
	wait $sipp_pid 2>/dev/null
	sipp_pid=
}

start_server
uac "uac over UDP" "$udp" -r 100 -m 300
uac "uac over TCP, one connection" "$tcp" -t t1 -r 50 -m 100
uac "uac over TCP, a connection each" "$tcp" -t tn -r 20 -m 40 -max_socket 100
uac "uac over UDP, 10 % lost" "$udp" -r 50 -m 60 -lost 10
uas "uas over UDP" ""
uas "uas over TCP" tcp -t t1
uas "uas over UDP, 10 % lost" "" -lost 10
kill $pid
wait $pid
check "server ends" $?
cat "$dir/server"
exit $failures
