'use strict';
// Node keeps one list per distinct duration and a heap of lists: random durations
// at 1 ms make up to 30,000 lists, a constant duration makes one.
// Without an argument it runs itself, once for each size.
if (!process.argv[2]) {
  for (const size of ['1e3', '1e5', '1e6'])
    require('child_process').spawnSync(process.execPath, [__filename, size], { stdio: 'inherit' });
  process.exit();
}
const N = Math.round(+process.argv[2]), label = '1e' + Math.round(Math.log10(N));
const now = () => Number(process.hrtime.bigint());
const R = (m, v) => console.log(`R\t${m}@${label}\t${v.toPrecision(6)}\tns/op`);
let seed = 42;
const rnd = (n) => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return seed % n; };
const permutation = () => {
  const p = Uint32Array.from({ length: N }, (_, i) => i);
  for (let i = N; i > 1; i--) { const j = rnd(i), t = p[i - 1]; p[i - 1] = p[j]; p[j] = t; }
  return p;
};
const perm = permutation(), perm2 = permutation();
let fired = 0;
const cb = () => { fired++; };
setTimeout(() => {
  const ms = Uint16Array.from({ length: N }, () => 30000 + rnd(30000)), ts = new Array(N);
  const reps = N < 200000 ? Math.round(200000 / N) : 1, K = 200000;
  let t, sched = 0, rearm = 0, canc = 0;
  for (let r = 0; r <= reps; r++) {
    if (r <= reps >> 1) sched = rearm = canc = 0; // the first half warms the JIT
    t = now();
    for (let i = 0; i < N; i++) ts[i] = setTimeout(cb, ms[i]);
    sched += now() - t;
    if (r === reps) {
      t = now();
      for (let i = 0; i < K; i++) clearTimeout(setTimeout(cb, 5000));
      R('churn', (now() - t) / K);
    }
    t = now();
    for (let i = 0; i < N; i++) ts[perm[i]].refresh();
    rearm += now() - t;
    t = now();
    for (let i = 0; i < N; i++) clearTimeout(ts[perm2[i]]);
    canc += now() - t;
  }
  const counted = (reps - (reps >> 1)) * N;
  R('schedule', sched / counted);
  R('rearm', rearm / counted);
  R('cancel', canc / counted);
  const begun = now();
  for (let i = 0; i < N; i++) setTimeout(cb, 1 + rnd(1000));
  while (now() - begun < 1.2e9 + N * 100) ; // stay in this callback until all are overdue
  t = now();
  const poll = () => { if (fired >= N) R('expire', (now() - t) / N); else setImmediate(poll); };
  setImmediate(poll);
}, 1);
