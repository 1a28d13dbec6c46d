const KEPT_LINES = 200;
const $ = (id) => document.getElementById(id);
const element = (name, text = '', ...children) => {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
};

function log(name, detail) {
  const shown = detail === undefined ? '' : JSON.stringify(detail);
  const time = element('time', new Date().toLocaleTimeString());
  $('log').prepend(element('li', '', time, name + ' ', element('code', shown)));
  while ($('log').childElementCount > KEPT_LINES) $('log').lastChild.remove();
}

// One connection, of the user in the form, and the sessions that it was asked to join.
let socket, who;
const wanted = new Set();

async function token() {
  const given = $('token').value.trim();
  if (given) return given;
  const answer = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: who.user }),
  });
  const { token, message } = await answer.json();
  if (!answer.ok) throw new Error(message);
  return token;
}

function connect() {
  const now = { user: $('user').value, token: $('token').value };
  if (socket?.active && who.user === now.user && who.token === now.token) return;
  socket?.disconnect();
  wanted.clear();
  who = now;
  // Asked again at every reconnection, so that no token is too old.
  const auth = (send) => token().then((token) => send({ token }), (error) => {
    log('no token', error.message);
    mine.disconnect();
  });
  const mine = socket = io({ auth, forceNew: true });
  const state = (text) => { if (mine === socket) $('state').textContent = text; };
  state('connecting as ' + who.user);
  mine.on('connect', () => {
    state('connected as ' + who.user);
    log('connected', { recovered: mine.recovered });
    // Recovered: still in its rooms, and nothing was missed.
    if (!mine.recovered) wanted.forEach(join);
  });
  mine.on('connect_error', (error) => {
    state('not connected');
    log('not connected', error.message);
  });
  mine.on('disconnect', (reason) => {
    state('not connected');
    log('disconnected', reason);
  });
  mine.onAny((event, data) => log(event, data));
}

function join(session) {
  socket.emit('join-session', session, (answer) => {
    if (!answer.ok) wanted.delete(session);
    log(answer.ok ? 'joined' : 'not joined', answer);
  });
}

$('who').onsubmit = (event) => {
  event.preventDefault();
  connect();
  const session = $('session').value;
  wanted.add(session);
  if (socket.connected) join(session);
};

$('leave').onclick = () => {
  const session = $('session').value;
  wanted.delete(session);
  if (socket?.connected) socket.emit('leave-session', session, (answer) => log('left', answer));
};

const about = await (await fetch('/dev/about')).json();
const { options, address } = about.grpcurl ?? {};

function commands() {
  if (!address) {
    $('commands').replaceChildren(element('dt', about.message));
    return;
  }
  const [user, session] = [$('user').value, $('session').value];
  const list = [['alice', 'ROLE_INTERVIEWER'], ['bob', 'ROLE_INTERVIEWEE']].map(([user_id, role]) => ({ user_id, role }));
  $('commands').replaceChildren(...[
    ['Create the session', 'PublishSessionUpdate', { session: { id: session, status: 'scheduled', participants: { list } } }],
    ['Change it', 'PublishSessionUpdate', { session: { id: session, status: 'running', attributes: { topic: 'Rust' } } }],
    ['Let carol watch', 'SelectRole', { session_id: session, user_id: 'carol', role: 'ROLE_OBSERVER' }],
    ['Ask for feedback', 'RequireFeedback', { session_id: session }],
    ['Give feedback', 'UpdateFeedback', { session_id: session, feedback_id: 'f1', author_id: user, updates: { score: 5 } }],
    ['Take bob out', 'RemoveParticipant', { session_id: session, user_id: 'bob' }],
    [`Disconnect ${user}`, 'DisconnectUser', { user_id: user }],
  ].flatMap(([what, method, request]) => {
    const call = `grpcurl ${options} -d '${JSON.stringify(request)}' ${address} roomcast.v1.SessionService/${method}`;
    const copy = element('button', 'Copy');
    copy.setAttribute('aria-label', 'Copy: ' + what);
    copy.onclick = () => navigator.clipboard.writeText(call).then(() => { copy.textContent = 'Copied'; });
    const shown = element('pre', call);
    shown.tabIndex = 0;
    return [element('dt', what), element('dd', '', shown, copy)];
  }));
}

$('user').value = new URLSearchParams(location.search).get('user') ?? 'alice';
$('user').oninput = $('session').oninput = commands;
commands();
