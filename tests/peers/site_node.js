'use strict';
// The server, asked by Node's http.Agent: site_node.js PORT.  Started by site_node.py.
const assert = require('assert');
const http = require('http');

const PERIOD = 8191;
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const base = { host: '127.0.0.1', port: +process.argv[2], agent };
let nSockets = 0;

const createConnection = agent.createConnection;
agent.createConnection = function (...args) {
    nSockets++;
    return createConnection.apply(this, args);
};

function pattern(n) {
    const bytes = Buffer.alloc(n);
    for (let i = 0; i < n; i++)
        bytes[i] = (i % PERIOD) * 31 + ((i % PERIOD) >> 8) * 17;
    return bytes;
}

// Begins a request: its answer's head.
function begin(method, path, body, headers = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request({ ...base, method, path, headers }, resolve);
        request.on('error', reject);
        if (body && body.pipe)
            body.pipe(request);
        else
            request.end(body);
    });
}

async function ask(method, path, body, headers) {
    const answer = await begin(method, path, body, headers);
    const pieces = [];
    for await (const piece of answer)
        pieces.push(piece);
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) };
}

async function manyOverFewSockets() {
    nSockets = 0;
    const answers = await Promise.all(Array.from({ length: 500 }, (_, i) =>
        i % 3 ? ask('GET', i % 2 ? '/hello' : '/files/poem.txt') : ask('POST', '/echo', `body ${i}`)));
    answers.forEach((answer, i) => {
        assert.strictEqual(answer.status, 200);
        if (i % 3 === 0)
            assert.strictEqual(answer.body.toString(), `body ${i}`);
        else if (i % 2)
            assert.strictEqual(answer.body.toString(), 'hello\n');
    });
    assert(nSockets <= 8, `${nSockets} sockets`);
}

async function pagesThatSayNo() {
    nSockets = 0;
    for (const [method, path, status] of [['GET', '/nope', 404], ['DELETE', '/hello', 405],
        ['GET', '/fail', 500], ['POST', '/refuse/403', 403], ['HEAD', '/big/1000', 200],
        ['OPTIONS', '/hello', 204], ['GET', '/away', 302]]) {
        const answer = await ask(method, path, method === 'POST' ? 'a body' : undefined);
        assert.strictEqual(answer.status, status, `${method} ${path}`);
    }
    assert(nSockets <= 1, `${nSockets} sockets`);
}

async function streamsGoUpAndDown() {
    const { Readable } = require('stream');
    const all = pattern(5000000);
    const pieces = () => Readable.from(Array.from({ length: 100 }, (_, i) => all.subarray(i * 50000, (i + 1) * 50000)));
    assert((await ask('POST', '/echo', pieces())).body.equals(all));
    assert.strictEqual((await ask('POST', '/take', pieces())).body.toString(), '5000000 bytes, right\n');
    const sized = await ask('POST', '/take', all, { 'Content-Length': all.length });
    assert.strictEqual(sized.body.toString(), '5000000 bytes, right\n');
    const four = await Promise.all([ask('POST', '/echo', pieces()), ask('GET', '/big/5000000'),
        ask('GET', '/sized/5000000'), ask('POST', '/echo', all)]);
    assert(four.every((answer) => answer.body.equals(all)));
}

async function whoWaitsIsToldToGoOn() {
    await new Promise((resolve, reject) => {
        const headers = { Expect: '100-continue', 'Content-Length': 5 };
        const request = http.request({ ...base, method: 'POST', path: '/take', headers }, (answer) => {
            answer.resume();
            answer.on('end', resolve);
        });
        request.on('continue', () => request.end('hello'));
        request.on('error', reject);
        request.flushHeaders();
    });
}

// Aborts downloads, uploads and waiting in the middle.
async function someGoInTheMiddle() {
    for (let i = 0; i < 10; i++) {
        const answer = await begin('GET', '/big/10000000000');
        await new Promise((resolve) => answer.once('data', resolve));
        const gone = new Promise((resolve) => answer.once('close', resolve));
        answer.on('error', () => {});
        answer.destroy();
        await gone;
        const request = http.request({ ...base, method: 'POST', path: '/take' });
        request.on('error', () => {});
        request.write(Buffer.alloc(100000));
        await new Promise((resolve) => setImmediate(resolve));
        request.destroy();
    }
    const controller = new AbortController();
    const waits = http.request({ ...base, path: '/slow/500', signal: controller.signal });
    const failed = new Promise((resolve) => waits.on('error', resolve));
    waits.end();
    await new Promise((resolve) => waits.once('socket', resolve));
    controller.abort();
    assert.strictEqual((await failed).name, 'AbortError');
    assert.strictEqual((await ask('GET', '/hello')).body.toString(), 'hello\n');
}

async function main() {
    for (const test of [manyOverFewSockets, pagesThatSayNo, streamsGoUpAndDown, whoWaitsIsToldToGoOn,
        someGoInTheMiddle]) {
        const began = Date.now();
        await test();
        console.log(`${test.name}: ${Date.now() - began} ms`);
    }
    agent.destroy();
}

main().catch((error) => {
    console.log(error);
    process.exit(1);
});
