#!/usr/bin/env python3
"""Whether a request costs the same however many there are of everything: `./dev peers scale` (bench/peers/README.md).

  partitions   one 100 B record a request over 1 to 10,000 partitions, a fixed number of connections
  connections  the same over 1 to 10,000 connections, a fixed number of partitions
  reactors     num.network.threads=1 against 2, the server on one core and on both

  ./dev peers scale                             all of it, Sillok
  ./dev peers scale --peers sillok,kafka --only partitions
  ./dev peers scale --quick                     short: only to see that it runs
"""

import os
import resource
import sys

import curves
import machine
import parts
import servers
from confinement import confine
from experiment import Experiment, finish_options, judged, median, parser_for, ratio, run, shown, table
from machine import say
from servers import load, measured

SIZES = [1, 10, 100, 1000, 10_000]
QUICK_SIZES = [1, 10, 100, 1000]
ACKS = {"sillok": [1, -1], "kafka": [1], "floor": [1]}
FLAT_GOAL, REACTOR_GOAL = 1.5, 1.1
IN_FLIGHT = 4
# What a server keeps open beside its connections and partitions.
SPARE_DESCRIPTORS = 200
REACTORS = [1, 2]


def case_name(peer, acks):
    return f"{peer} acks={'all' if acks < 0 else acks}"


def words(connections, partitions, acks):
    return ["--connections", connections, "--partitions", partitions, "--in-flight", IN_FLIGHT, "--record-bytes", 100, "--acks", acks]


def touch(server, topic, partitions):
    """Makes the topic, and gives every partition its first records: opening files is not what is measured."""
    load(server, "produce", "--topic", topic, *words(1, partitions, 1), "--seconds", 120, "--requests",
         parts.FIRST_RECORDS * partitions)


def point(server, topic, connections, partitions, acks):
    """CPU of a request as fast as they are answered; p99 at a rate that is the same for all sizes."""
    options = server.options
    touch(server, topic, partitions)
    closed = measured(server, "produce", "--topic", topic, *words(connections, partitions, acks), "--seconds", options.seconds)
    if closed["errors"] or not closed["requests"]:
        raise machine.Failed(f"{topic}: {closed['requests']} requests, errors {closed['errors']}")
    found = {"cpu_us": closed["cpu_s"] / closed["requests"] * 1e6, "requests_per_s": closed["requests_per_s"],
             "p99_full_ms": closed["p99_us"] / 1e3}
    if options.rate:
        paced = measured(server, "produce", "--topic", topic, *words(connections, partitions, acks), "--rate", options.rate,
                         "--seconds", options.seconds)
        found.update(p50_ms=paced["p50_us"] / 1e3, p99_ms=paced["p99_us"] / 1e3, missed=paced["missed"],
                     paced_cpu_us=paced["cpu_s"] / max(1, paced["requests"]) * 1e6)
    return found


def start(peer, options, folder, cores, settings=None):
    server = servers.PROCESSES[peer](peer, options, folder)
    try:
        if settings:
            server.settings = {**server.settings, **settings}
        confine(server, cores)
        server.start()
        parts.warm_up(server, options.warm_up if peer == "kafka" else options.warm_up / 20)
    except BaseException:
        server.discard()
        raise
    return server


def sweep(experiment, options, part, peer, folder):
    """One fresh server for each size, except where a start takes long."""
    server = None
    try:
        for acks in ACKS[peer]:
            for size in options.sizes:
                connections, partitions = (options.connections, size) if part == "partitions" else (size, options.partitions)
                if server is None:
                    # Its default is 10,000, and the load has one more, which asks for the topic.
                    settings = {"max.connections": connections + SPARE_DESCRIPTORS} if peer == "sillok" else None
                    server = start(peer, options, os.path.join(folder, f"{part}-{peer}-{acks}-{size}"), options.server_cores,
                                   settings)
                try:
                    found = point(server, f"{part}-{acks}-{size}", connections, partitions, acks)
                except machine.Failed as error:
                    experiment.fail(f"{part} {size:,}, {case_name(peer, acks)}", error)
                    found = None
                if found:
                    say(f"  {size:,} {part}: {found['cpu_us']:.2f} us, {found['requests_per_s']:,.0f}/s"
                        + (f", at {options.rate:,.0f}/s p99 {found['p99_ms']:.2f} ms" if options.rate else ""))
                    experiment.note(part, {"peer": peer, "acks": acks, "size": size, **found})
                if peer != "kafka":
                    server.discard()
                    server = None
    finally:
        if server is not None:
            server.discard()


def run_reactors(experiment, options, folder):
    """In turns, so that what else the machine does is spread over both."""
    places = [options.server_cores] + ([options.both_cores] if options.both_cores != options.server_cores else [])
    for cores in places:
        up = {}
        try:
            for count in REACTORS:
                up[count] = start("sillok", options, os.path.join(folder, f"reactors-{count}-{cores}".replace(",", "-")), cores,
                                  {"num.network.threads": count})
                up[count].pause()
            for acks in ACKS["sillok"]:
                say(f"reactors: acks={'all' if acks < 0 else acks}, server on core {cores}")
                for number in range(options.rounds):
                    for count in REACTORS if number % 2 == 0 else REACTORS[::-1]:
                        up[count].resume()
                        found = point(up[count], f"reactors-{acks}", options.connections, options.partitions, acks)
                        up[count].pause()
                        say(f"  {count} reactors: {found['cpu_us']:.2f} us, {found['requests_per_s']:,.0f}/s")
                        experiment.note("reactors", {"reactors": count, "cores": cores, "acks": acks, "round": number, **found})
        finally:
            for server in up.values():
                server.discard()


def curves_of(figures, part, key):
    found = {}
    for entry in figures[part]:
        if entry.get(key) is not None:
            found.setdefault(case_name(entry["peer"], entry["acks"]), []).append((entry["size"], entry[key]))
    return found


def conclude_sweep(figures, part, folder):
    options = figures["options"]
    sizes = sorted({entry["size"] for entry in figures[part]})
    fixed = f"{options['connections']} connections" if part == "partitions" else f"{options['partitions']} partitions"
    print(f"\nOver {part} ({fixed}): CPU of the server, us a request (requests/s) as fast as they are answered, {IN_FLIGHT} under "
          f"way on each connection; then p99 in ms at {options['rate']:,.0f} requests/s\n")
    rows = []
    for name, points in curves_of(figures, part, "cpu_us").items():
        rates, cpu = dict(curves_of(figures, part, "requests_per_s")[name]), dict(points)
        rows.append([name, "CPU", *(f"{shown(cpu.get(size))} ({shown(rates.get(size), 0)})" if size in cpu else "" for size in sizes),
                     judged(max(cpu.values()) / min(cpu.values()), FLAT_GOAL)])
        for key, title in (("paced_cpu_us", "CPU at that rate"), ("p99_ms", "p99 at that rate")):
            found = dict(curves_of(figures, part, key).get(name, []))
            if found:
                rows.append([name, title, *(shown(found.get(size)) for size in sizes), f"{max(found.values()) / max(min(found.values()), 1e-9):.2f}x"])
    table(["server", "", *(f"{size:,}" for size in sizes), "most over least"], rows)
    curves.size_panels(f"A request over 1 to {sizes[-1]:,} {part}", f"one record of 100 B; {fixed}; server on core {options['server_cores']}",
                       [("CPU of the server, as fast as they are answered", "us", curves_of(figures, part, "cpu_us")),
                        (f"p99 at {options['rate']:,.0f} requests/s", "ms", curves_of(figures, part, "p99_ms"))],
                       os.path.join(folder, f"scale-{part}.svg"))


def conclude_reactors(figures):
    print("\nReactors: CPU of the server, us a request, medians\n")
    rows = []
    for cores in dict.fromkeys(entry["cores"] for entry in figures["reactors"]):
        for acks in dict.fromkeys(entry["acks"] for entry in figures["reactors"]):
            cpu, rates = ({count: median(entry[key] for entry in figures["reactors"] if (entry["cores"], entry["acks"], entry["reactors"])
                                         == (cores, acks, count)) for count in REACTORS} for key in ("cpu_us", "requests_per_s"))
            rows.append([case_name("sillok", acks), cores, *(f"{shown(cpu[count])} ({shown(rates[count], 0)})" for count in REACTORS),
                         judged(ratio(cpu[2], cpu[1]), REACTOR_GOAL)])
    table(["", "server on core", "1 reactor", "2 reactors", "2 over 1"], rows)


def parse():
    parser = parser_for("scale", __doc__)
    parser.add_argument("--peers", default="sillok", help=f"of {','.join(ACKS)}; the reactors are Sillok's alone")
    parser.add_argument("--only", default="partitions,connections,reactors")
    parser.add_argument("--sizes", default=None, help=f"default {','.join(map(str, SIZES))}")
    parser.add_argument("--connections", type=int, default=20, help="where partitions change, and for the reactors")
    parser.add_argument("--partitions", type=int, default=10, help="where connections change, and for the reactors")
    parser.add_argument("--seconds", type=float, default=None, help="of a load (default 5)")
    parser.add_argument("--rounds", type=int, default=None, help="of the reactors (default 5)")
    parser.add_argument("--rate", type=float, default=10_000, help="requests a second of the p99; 0: none")
    parser.add_argument("--server-cores", default="0")
    parser.add_argument("--both-cores", default="0,1", help="for the second half of the reactors")
    options = parser.parse_args()
    options.peers, options.only = options.peers.split(","), options.only.split(",")
    for peer in options.peers:
        if peer not in ACKS:
            parser.error(f"--peers {peer}: of {','.join(ACKS)}")
    quick = options.quick
    options.sizes = sorted(map(int, options.sizes.split(","))) if options.sizes else QUICK_SIZES if quick else SIZES
    options.seconds = options.seconds or (1.0 if quick else 5.0)
    options.rounds = options.rounds or (1 if quick else 5)
    options.server_core = int(options.server_cores.split(",")[0])
    return finish_options(options, "scale")


def raise_descriptor_limit(experiment, options):
    """What it starts gets the same limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fitting = [size for size in options.sizes if size + SPARE_DESCRIPTORS <= hard]
    if fitting != options.sizes:
        experiment.skip(f"sizes above {fitting[-1]:,}", f"at most {hard:,} descriptors here")
        options.sizes = fitting


def main():
    options = parse()
    experiment = Experiment(options, ["partitions", "connections", "reactors"])
    raise_descriptor_limit(experiment, options)
    options.peers = experiment.installed(options.peers)

    def measure(folder):
        for part in ("partitions", "connections"):
            for peer in options.peers if part in options.only else []:
                say(f"{part}: {peer}")
                experiment.attempt(f"{part}, {peer}", lambda: sweep(experiment, options, part, peer, folder))
        if "reactors" in options.only and "sillok" in options.peers:
            experiment.attempt("reactors", lambda: run_reactors(experiment, options, folder))

    def conclude():
        for part in ("partitions", "connections"):
            if experiment.figures[part]:
                conclude_sweep(experiment.figures, part, options.plots)
        if experiment.figures["reactors"]:
            conclude_reactors(experiment.figures)

    return run("scale", options, experiment, measure, conclude)


if __name__ == "__main__":
    sys.exit(main())
