'use strict';
// A web server of Node's, for tests of the client: web_node.js PORT
const http = require('http');
const zlib = require('zlib');

const pages = {
    '/hello': (response) => response.end('hello\n'),
    '/big': (response) => {
        for (let i = 0; i < 30; i++)
            response.write('0123456789'.repeat(1000));
        response.end();
    },
    '/packed': (response, request) => {
        if (!/gzip/.test(request.headers['accept-encoding']))
            return response.end('hello\n');
        response.setHeader('Content-Encoding', 'gzip');
        return response.end(zlib.gzipSync('hello\n'));
    },
    '/away': (response) => {
        response.writeHead(302, { Location: '/hello' });
        response.end();
    },
};

http.createServer((request, response) => {
    if (request.url === '/echo') {
        request.pipe(response);
    } else if (pages[request.url]) {
        pages[request.url](response, request);
    } else {
        response.statusCode = 404;
        response.end('nothing\n');
    }
}).listen(+process.argv[2], '127.0.0.1');
