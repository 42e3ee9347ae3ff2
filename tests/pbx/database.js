// PostgreSQL's part: a JSON file that outlives restarts. While the file is away, the database is down.
'use strict';
const fs = require('fs');

const FILE = process.env.DATABASE || 'database.json';
const ID_LENGTH = 255; // character varying(255)

function load() {
  try {
    return JSON.parse(fs.readFileSync(FILE, 'utf8'));
  } catch {
    throw new Error('connect ECONNREFUSED 127.0.0.1:5432');
  }
}

function save(state) {
  fs.writeFileSync(`${FILE}.new`, JSON.stringify(state));
  fs.renameSync(`${FILE}.new`, FILE);
}

async function extensions() {
  return load().extensions;
}

async function byUsername(username) {
  return load().extensions.find((one) => one.username === username);
}

async function create(fields) {
  const state = load();
  const now = new Date().toISOString();
  const extension = {
    id: state.extensions.length + 1, username: fields.username, password: '$2b$10$a-hash-nobody-may-show',
    displayName: fields.displayName || null, email: null, enabled: fields.enabled !== false,
    callForwardEnabled: false, callForwardNumber: null, voicemailEnabled: true, recordingEnabled: false,
    createdAt: now, updatedAt: now,
  };
  state.extensions.push(extension);
  save(state);
  return extension;
}

async function update(id, fields) {
  const state = load();
  const extension = state.extensions.find((one) => one.id === Number(id));
  if (extension) Object.assign(extension, fields, { updatedAt: new Date().toISOString() });
  save(state);
  return extension;
}

// One binding an extension: whoever registers last has it.
async function register(extension, contact, expires) {
  if (contact.length > ID_LENGTH) throw new Error('value too long for type character varying(255)');
  const state = load();
  const now = new Date().toISOString();
  const before = state.registrations[extension.id];
  state.registrations[extension.id] = {
    id: extension.id, extension_id: extension.id, contact_uri: contact, expires,
    registered_at: before ? before.registered_at : now, last_updated: now, username: extension.username,
  };
  save(state);
}

async function registration(id) {
  return load().registrations[id] || null;
}

module.exports = { extensions, byUsername, create, update, register, registration };
