// Compares libfate's HTTP parser with llhttp, the one inside Node, on the messages of corpus.txt.
//
//     node compare.js PROGRAM    PROGRAM: what parse.c is compiled to
//
// Where the two differ, differences.txt must have a line that says so and why; else this fails.  A line there that
// is true no more fails too, if this Node has the llhttp with which they were written.
"use strict";

const child = require("child_process");
const fs = require("fs");
const path = require("path");

const SKIPPED = 77;

// ---- Input ----

function unescape_bytes(text) {
    const plain = text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_, c) => {
        if (c.length === 3)
            return String.fromCharCode(parseInt(c.slice(1), 16));
        const named = { r: "\r", n: "\n", t: "\t", "\\": "\\" }[c];
        if (named === undefined)
            throw new Error(`\\${c} is no escape of the corpus`);
        return named;
    });
    return Buffer.from(plain, "latin1");
}

// Cases: "=== KIND NAME", then lines that are put together without their line ends.
function read_corpus(file) {
    const cases = [];
    for (const line of fs.readFileSync(file, "latin1").split("\n")) {
        const begin = /^=== (request|response|head|connect) (\S+)$/.exec(line);
        if (begin)
            cases.push({ kind: begin[1], name: begin[2], text: "" });
        else if (cases.length && !line.startsWith("#"))
            cases[cases.length - 1].text += line;
    }
    for (const one of cases)
        one.bytes = unescape_bytes(one.text);
    return cases;
}

// Differences: "NAME: WHAT: WHY".  The line "llhttp VERSION" says with which they were written.
function read_differences(file) {
    const known = new Map();
    let version = "";
    for (const line of fs.readFileSync(file, "utf8").split("\n")) {
        const parts = /^(\S+): ([^:]+): (.+)$/.exec(line);
        if (line.startsWith("llhttp "))
            version = line.slice("llhttp ".length);
        else if (parts && !line.startsWith("#"))
            known.set(parts[1], parts[2]);
        else if (line && !line.startsWith("#"))
            throw new Error(`not a difference: ${line}`);
    }
    return { known, version };
}

// ---- Ours ----

function run_ours(program, cases) {
    const input = cases.flatMap((one) => [Buffer.from(`${one.kind} ${one.bytes.length}\n`), one.bytes]);
    const done = child.spawnSync(program, [], { input: Buffer.concat(input), maxBuffer: 1 << 28 });
    if (done.status !== 0)
        throw new Error(`${program} ended with ${done.status} ${done.signal}: ${done.stderr}`);
    return done.stdout.toString("latin1").trim().split("\n").map((line) => JSON.parse(line));
}

// ---- llhttp ----

// Since Node 0.x a binding for Node itself; where a later one hides it, there is nothing to compare with.
function load_llhttp() {
    try {
        const binding = process.binding("http_parser");
        return { HTTPParser: binding.HTTPParser, methods: binding.allMethods || binding.methods };
    } catch (error) {
        return null;
    }
}

function is_interim(message) {
    return message.status >= 100 && message.status < 200 && message.status !== 101;
}

class Theirs {
    constructor(llhttp, kind) {
        this.kind = kind;
        this.methods = llhttp.methods;
        this.messages = [];
        this.fields = [];
        this.is_over = false;
        const { HTTPParser } = llhttp;
        const type = kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
        this.parser = new HTTPParser();
        this.parser.initialize(type, {}, 1 << 20, 0);
        this.parser[HTTPParser.kOnHeaders] = (fields) => this.fields.push(...fields);
        this.parser[HTTPParser.kOnHeadersComplete] = (...head) => this.got_head(head);
        this.parser[HTTPParser.kOnBody] = (bytes, start, n) => this.got_body(bytes, start, n);
        this.parser[HTTPParser.kOnMessageComplete] = () => this.got_end();
    }

    // What llhttp is told of a response is what the client would tell it: 1, no body; 2, another protocol.
    got_head([, minor, fields, method, target, status, reason, upgrade, keeps]) {
        if (this.is_over)
            return 0;
        const message = { minor, keeps, upgrade: Boolean(upgrade), body: "", trailers: [], complete: false };
        message.fields = fields || this.fields;
        this.fields = [];
        if (this.kind === "request")
            Object.assign(message, { method: this.methods[method], target });
        else
            Object.assign(message, { status, reason });
        if (this.kind === "connect" && status >= 200 && status < 300)
            message.upgrade = true;
        this.messages.push(message);
        if (message.upgrade)
            return 2;
        return this.kind === "head" ? 1 : 0;
    }

    got_body(bytes, start, n) {
        const piece = start === undefined ? bytes : bytes.subarray(start, start + n);
        if (!this.is_over)
            this.messages[this.messages.length - 1].body += piece.toString("latin1");
    }

    got_end() {
        const message = this.messages[this.messages.length - 1];
        if (this.is_over)
            return;
        message.complete = true;
        message.trailers = this.fields;
        this.fields = [];
        this.is_over = message.upgrade || (!message.keeps && !is_interim(message));
    }

    // How it ended: an error counts only before the last message was over.
    verdict(error) {
        const last = this.messages[this.messages.length - 1];
        if (error instanceof Error && !this.is_over)
            return { verdict: error.code === "HPE_INVALID_EOF_STATE" ? "cut" : "refused", code: error.code };
        if (last && is_interim(last))
            return { verdict: "cut", code: "nothing behind an interim response" };
        return { verdict: "taken", code: "" };
    }

    run(bytes) {
        let error = this.parser.execute(bytes);
        if (!(error instanceof Error) && !this.is_over)
            error = this.parser.finish();
        return { messages: this.messages, ...this.verdict(error) };
    }
}

// ---- Comparing ----

// The parts in which two messages are not the same.
function differing(ours, theirs) {
    const names = ["method", "target", "status", "reason", "minor", "fields", "keeps", "upgrade", "body",
        "trailers"];
    if (ours.complete !== theirs.complete)
        return ["complete"];
    if (!ours.complete)
        names.pop(); // llhttp hands trailers out at their end
    return names.filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(theirs[name]));
}

// In a few words without a colon, for differences.txt; "" where they agree.
function difference(ours, theirs) {
    if (ours.verdict !== theirs.verdict)
        return `${ours.verdict}, by llhttp ${theirs.verdict}`;
    if (ours.verdict === "refused")
        return "";
    if (ours.messages.length !== theirs.messages.length)
        return `${ours.messages.length} messages, by llhttp ${theirs.messages.length}`;
    const all = ours.messages.flatMap((message, i) => differing(message, theirs.messages[i]));
    return all.length ? `other ${[...new Set(all)].join(" ")}` : "";
}

function report(one, what, ours, theirs) {
    console.log(`${one.name}: ${what}`);
    console.log(`    bytes:  ${one.text}`);
    console.log(`    ours:   ${JSON.stringify(ours)}`);
    console.log(`    llhttp: ${JSON.stringify(theirs)}`);
}

function main() {
    const llhttp = load_llhttp();
    if (!llhttp) {
        console.log("this Node does not show its llhttp; nothing was compared");
        return SKIPPED;
    }
    const cases = read_corpus(path.join(__dirname, "corpus.txt"));
    const { known, version } = read_differences(path.join(__dirname, "differences.txt"));
    const ours = run_ours(process.argv[2], cases);
    const names = new Set(cases.map((one) => one.name));
    let n_wrong = 0;
    let n_known = 0;
    let n_other = 0;
    if (names.size !== cases.length || ours.length !== cases.length)
        throw new Error("names of the corpus are not unique, or a case got no answer");
    cases.forEach((one, i) => {
        const theirs = new Theirs(llhttp, one.kind).run(one.bytes);
        const what = difference(ours[i], theirs);
        const expected = known.get(one.name) || "";
        if (what && what === expected)
            n_known++;
        else if ((what || expected) && version !== process.versions.llhttp)
            n_other++; // another llhttp may well be of another opinion
        else if (what || expected) {
            report(one, what || `no difference, but listed as "${expected}"`, ours[i], theirs);
            n_wrong++;
        }
    });
    for (const name of known.keys())
        if (!names.has(name)) {
            console.log(`${name}: listed, but not in the corpus`);
            n_wrong++;
        }
    console.log(`${cases.length} inputs, llhttp ${process.versions.llhttp}: ` +
                `${n_known} differences with a reason, ${n_wrong} without` +
                (n_other ? `, ${n_other} not judged: the list is of llhttp ${version}` : ""));
    return n_wrong || cases.length === 0 ? 1 : 0;
}

process.exitCode = main();
