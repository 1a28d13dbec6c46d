// Joins a session and prints every event that its browsers receive: node watch.mjs TOKEN SESSION
import { io } from 'socket.io-client';

const [token, session] = process.argv.slice(2);
const socket = io('http://127.0.0.1:3000', { auth: { token } });

socket.on('connect', () => {
  socket.emit('join-session', session, (response) => console.log('joined:', response.ok, response.role));
});
socket.onAny((event, data) => console.log(event, JSON.stringify(data)));
