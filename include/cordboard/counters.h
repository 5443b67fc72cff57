/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one list of the dataplane's counters. Each worker has a set of its own in the segment, which
 * it alone writes (relaxed stores of its own line); control, telemetry and the Prometheus page add
 * the workers up. They start at 0 with the segment and only grow, except those marked as gauges.
 *
 * X(name, unit, kind, help)
 */
#ifndef CORDBOARD_COUNTERS_H
#define CORDBOARD_COUNTERS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#define CORD_COUNTERS(X)                                                                           \
	/* verdicts: every received packet is counted in exactly one of these */                   \
	X(rx_media, packets, counter, "RTP taken into a jitter buffer")                            \
	X(rx_event, packets, counter, "telephone-event packets taken")                             \
	X(rx_rtcp, packets, counter, "RTCP packets taken")                                         \
	X(rx_comfort_noise, packets, counter, "comfort noise packets taken")                       \
	X(rx_arp, packets, counter, "ARP packets handled")                                         \
	X(rx_discovery, packets, counter, "IPv6 neighbour discovery handled")                      \
	X(rx_icmp, packets, counter, "ICMP and ICMPv6 echo requests answered")                     \
	X(rx_handed_over, packets, counter, "packets passed to the worker that owns the port")     \
	X(drop_runt, packets, counter, "shorter than its headers say")                             \
	X(drop_ethertype, packets, counter, "neither IPv4, IPv6 nor ARP")                          \
	X(drop_not_ours, packets, counter, "for an address that is not ours")                      \
	X(drop_ip_header, packets, counter, "bad IPv4 or IPv6 header or checksum")                 \
	X(drop_fragment, packets, counter, "IPv4 fragment")                                        \
	X(drop_extension, packets, counter, "IPv6 extension header, fragments included")           \
	X(drop_discovery, packets, counter, "neighbour discovery that RFC 4861 has discarded")     \
	X(drop_protocol, packets, counter, "neither UDP nor echo nor neighbour discovery")         \
	X(drop_udp_checksum, packets, counter, "bad UDP or ICMP checksum, none with IPv6")         \
	X(drop_no_port, packets, counter, "no media port is open at the UDP port")                 \
	X(drop_source, packets, counter, "not from the address that was negotiated")               \
	X(drop_learning, packets, counter,                                                         \
		"of a source that a port behind NAT may learn, not yet")                           \
	X(drop_direction, packets, counter, "the port does not receive (held or inactive)")        \
	X(drop_srtp_auth, packets, counter, "not authentic under the port's key")                  \
	X(drop_srtp_replay, packets, counter, "SRTP seen before, or too old to tell")              \
	X(drop_rtp_header, packets, counter, "not a well-formed RTP packet")                       \
	X(drop_payload_type, packets, counter, "payload type that was not negotiated")             \
	X(drop_ssrc, packets, counter, "changing SSRC, not yet trusted")                           \
	X(drop_payload_size, packets, counter, "payload of no allowed packet time")                \
	X(drop_event, packets, counter, "malformed telephone-event")                               \
	X(drop_rtcp, packets, counter, "malformed RTCP")                                           \
	X(drop_duplicate, packets, counter, "sequence number seen before")                         \
	X(drop_late, packets, counter, "its time to be played has passed")                         \
	X(drop_overflow, packets, counter, "jitter buffer full")                                   \
	X(drop_handover_full, packets, counter, "ring to the owning worker full")                  \
	/* sending */                                                                              \
	X(tx_media, packets, counter, "RTP packets sent")                                          \
	X(tx_event, packets, counter, "telephone-event packets sent")                              \
	X(tx_comfort_noise, packets, counter, "comfort noise packets sent in place of silence")    \
	X(tx_rtcp, packets, counter, "RTCP packets sent")                                          \
	X(tx_other, packets, counter, "ARP, neighbour discovery and echo packets sent")            \
	X(tx_no_mbuf, packets, counter, "not sent: packet pool empty")                             \
	X(tx_nic_full, packets, counter, "not sent: the NIC took no more")                         \
	X(tx_no_neighbor, packets, counter, "not sent: next hop not resolved yet")                 \
	X(tx_srtp, packets, counter, "not sent: SRTP could not protect it")                        \
	/* playing out */                                                                          \
	X(frames_played, frames, counter, "received frames played out in time")                    \
	X(frames_concealed, frames, counter,                                                       \
		"periods of talk concealed because a packet was lost or late")                     \
	X(frames_recovered, frames, counter,                                                       \
		"frames of Opus whose packet was lost, and which the next one held")               \
	X(frames_dropped, frames, counter,                                                         \
		"frames dropped to follow the sender's clock or shorten delay")                    \
	X(frames_silent, frames, counter, "periods in which a receiving port's talker was silent") \
	X(frames_clip, frames, counter, "frames sent as stored in a clip, without mixing")         \
	X(frames_passed, frames, counter, "packets of Opus sent as their talker sent them")        \
	X(frames_mixed, frames, counter, "frames encoded from a mix")                              \
	X(frames_coded, frames, counter, "of them, frames of G.722 and Opus")                      \
	X(frames_shared, frames, counter, "frames that were encoded for another listener as well") \
	X(complexity_lowered, times, counter, "times Opus was encoded more simply to keep time")   \
	X(frames_tapped, frames, counter, "periods written to taps")                               \
	X(frames_untapped, frames, counter, "periods that found a tap full: not recorded")         \
	/* time */                                                                                 \
	X(ticks, ticks, counter, "phases worked")                                                  \
	X(ticks_late, ticks, counter, "phases begun more than 1 ms late")                          \
	X(ticks_skipped, ticks, counter, "phases skipped because the worker fell behind")          \
	X(tick_cycles, cycles, counter, "TSC cycles spent in ticks")                               \
	X(busy_cycles, cycles, counter, "TSC cycles of passes that moved a packet or a tick")      \
	X(total_cycles, cycles, counter, "TSC cycles of all passes and sleeps")                    \
	X(sleeps, times, counter, "times the worker slept")                                        \
	/* commands */                                                                             \
	X(commands, messages, counter, "commands applied")                                         \
	X(commands_refused, messages, counter, "commands refused")                                 \
	X(events, messages, counter, "events written")                                             \
	X(events_lost, messages, counter, "events that found the ring full")                       \
	X(digits_received, keys, counter, "keys received")                                         \
	X(digits_sent, keys, counter, "keys sent")                                                 \
	/* gauges */                                                                               \
	X(ports, ports, gauge, "media ports open")                                                 \
	X(rooms, rooms, gauge, "rooms open")                                                       \
	X(coders_idle, coders, gauge, "coders of G.722 and Opus that no port has")                 \
	X(complexity, steps, gauge,                                                                \
		"most complexity that Opus is encoded with at present, 0 to 10")                   \
	X(tick_cycles_max, cycles, gauge, "longest tick so far")                                   \
	X(phase_fullest, permille, gauge,                                                          \
		"time that the ticks of the fullest phase took in the last second, of what they "  \
		"have")

enum cord_counter {
#define X(name, unit, kind, help) CORD_COUNTER_##name,
	CORD_COUNTERS(X)
#undef X
		CORD_COUNTER_COUNT
};

/* One worker's counters. Written by that worker; read by anybody. */
struct cord_counters {
	alignas(64) _Atomic uint64_t value[CORD_COUNTER_COUNT];
};

struct cord_counter_row {
	const char *name, *unit, *kind, *help;
};

static inline const struct cord_counter_row *cord_counter_row(uint32_t counter)
{
	static const struct cord_counter_row rows[] = {
#define X(name, unit, kind, help) {#name, #unit, #kind, help},
		CORD_COUNTERS(X)
#undef X
	};
	return counter < CORD_COUNTER_COUNT ? &rows[counter] : 0;
}

#endif
