'use strict';
const server = require('net').createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => socket.write(data));
});
const port = Number(process.argv[process.argv.length - 1]);
server.listen({ host: '127.0.0.1', port, backlog: 4096 }, () => console.log('ready'));
