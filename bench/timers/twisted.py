"""Without an argument it runs itself, once for each size; a million takes minutes."""
import random
import subprocess
import sys
import time

if len(sys.argv) < 2:
    for size in ("1e3", "1e5"):
        subprocess.run([sys.executable, "-I", __file__, size], check=True)
    sys.exit()

from twisted.internet import epollreactor
epollreactor.install()
from twisted.internet import reactor

N = int(float(sys.argv[1]))
label = "1e%d" % len(str(N // 10))
clock = time.perf_counter_ns


def R(metric, value):
    print("R\t%s@%s\t%.6g\tns/op" % (metric, label, value), flush=True)


fired = 0


def cb():
    global fired, t_first
    if fired == 0:
        t_first = clock()
    fired += 1
    if fired == N:
        R("expire", (clock() - t_turn) / N)
        reactor.stop()


def body():
    global t_turn
    rnd = random.Random(42)
    ms = [30 + rnd.random() * 30 for _ in range(N)]
    perm = list(range(N))
    rnd.shuffle(perm)
    perm2 = perm[:]
    rnd.shuffle(perm2)
    K, reps = 20000, max(1, 20000 // N)
    sched = rearm = canc = 0
    for r in range(reps):
        t = clock()
        ts = [reactor.callLater(x, cb) for x in ms]
        sched += clock() - t
        if r == reps - 1:
            t = clock()
            for _ in range(K):
                reactor.callLater(5, cb).cancel()
            R("churn", (clock() - t) / K)
        t = clock()
        for i in perm:
            ts[i].reset(60)
        rearm += clock() - t
        t = clock()
        for i in perm2:
            ts[i].cancel()
        canc += clock() - t
    R("schedule", sched / N / reps)
    R("rearm", rearm / N / reps)
    R("cancel", canc / N / reps)
    for _ in range(N):
        reactor.callLater(rnd.random(), cb)
    time.sleep(1.1)
    t_turn = clock()


reactor.callWhenRunning(body)
reactor.run()
