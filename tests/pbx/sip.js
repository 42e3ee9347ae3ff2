// The registrar on udp/5060 and the trunk manager on udp/5061, with the habits of the real one.
'use strict';
const crypto = require('crypto');
const dgram = require('dgram');
const database = require('./database');
const log = require('./log');

const DOMAIN = process.env.SIP_DOMAIN || 'c.soundz.uz';
const passwords = new Map(); // in memory only: empty after each restart

function header(lines, name) { // spelled exactly so: compact and lower-case names are not known
  const line = lines.find((one) => one.startsWith(`${name}:`));
  return line ? line.slice(name.length + 1).trim() : '';
}

function digestOf(text) {
  return Object.fromEntries([...text.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map((m) => [m[1], m[2] ?? m[3]]));
}

function md5(text) {
  return crypto.createHash('md5').update(text).digest('hex');
}

class Registrar {
  constructor(socket) {
    this.socket = socket;
    socket.on('message', (packet, from) => this.take(packet, from));
  }

  async take(packet, from) {
    const where = `${from.address}:${from.port}`;
    log.info(`[SIP] Received message from ${where}`);
    log.debug(`[SIP DEBUG] Received UDP packet from ${where}, length: ${packet.length}`);
    const lines = packet.toString('utf8').split('\r\n'); // bare line feeds stay in the line, and in the log
    const first = lines[0];
    if (!first) return log.warn('[SIP] Empty request line');
    if (first.startsWith('SIP/2.0')) return log.info(`[SIP] Received response: ${first}`);
    log.info(`[SIP] Request: ${first}`);
    const method = first.split(' ')[0];
    if (method === 'REGISTER') return this.register(lines, from, where);
    if (method === 'OPTIONS') return this.options(lines, from, where);
    if (method === 'ACK') return undefined;
    return log.warn(`[SIP] Unhandled method: ${first}`);
  }

  async register(lines, from, where) {
    log.info(`[SIP] Processing REGISTER from ${where}`);
    try {
      await this.answerRegister(lines, from, where);
    } catch (error) {
      log.error(`Error in handleRegister: ${error.message}`);
      log.error('Error stack:');
      this.refuse(500, 'Internal Server Error', lines, from, where);
    }
  }

  async answerRegister(lines, from, where) {
    const user = /sip:([^@>;]+)@/.exec(header(lines, 'From').replace(/sips:[^>]*/, ''));
    if (!user) {
      log.warn('No username found in From header');
      return this.refuse(400, 'Bad Request', lines, from, where);
    }
    const extension = await database.byUsername(user[1]);
    if (!extension || !extension.enabled) {
      log.warn(`Extension not found or disabled: ${user[1]}`);
      return this.refuse(404, 'Not Found', lines, from, where);
    }
    const authorization = header(lines, 'Authorization');
    if (!authorization) {
      log.info(`[SIP] Sending 401 challenge for ${user[1]} to ${where}`);
      const nonce = Date.now().toString(36) + Math.random().toString(36).slice(2, 13);
      const challenge = `WWW-Authenticate: Digest realm="${DOMAIN}", nonce="${nonce}", algorithm=MD5, qop="auth"`;
      return this.send(401, 'Unauthorized', lines, from, where, [challenge]);
    }
    if (!this.verified(digestOf(authorization), user[1])) {
      log.warn(`Authentication failed for ${user[1]}`);
      return this.refuse(403, 'Forbidden', lines, from, where);
    }
    return this.accept(extension, lines, from, where);
  }

  verified(digest, user) { // the nonce is never looked at
    if (digest.username !== user) {
      log.warn(`Username mismatch: ${digest.username} != ${user}`);
      return false;
    }
    const password = passwords.get(user);
    if (password === undefined) {
      log.warn(`SIP password not available for extension ${user}. Password may need to be reset.`);
      log.warn(`Could not retrieve password for extension ${user}. Please reset the password.`);
      return false;
    }
    const ha1 = md5(`${user}:${DOMAIN}:${password}`);
    const ha2 = md5(`REGISTER:${digest.uri}`);
    const wanted = digest.qop
      ? md5(`${ha1}:${digest.nonce}:${digest.nc}:${digest.cnonce}:${digest.qop}:${ha2}`)
      : md5(`${ha1}:${digest.nonce}:${ha2}`);
    if (wanted === digest.response) return true;
    log.warn(`Digest auth verification failed for ${user}`);
    return false;
  }

  async accept(extension, lines, from, where) {
    const said = header(lines, 'Expires'); // `Contact;expires=` is not read
    const expires = said ? Number(said) : 3600;
    const contact = (/<([^>]+)>/.exec(header(lines, 'Contact')) || [])[1] || `sip:${extension.username}@${where}`;
    await database.register(extension, contact, expires);
    this.send(200, 'OK', lines, from, where, [`Contact: ${contact};expires=${expires}`, `Expires: ${expires}`]);
    log.info(`Extension ${extension.username} registered from ${where}`); // an un-REGISTER as well
  }

  options(lines, from, where) {
    log.info(`[SIP] OPTIONS request from ${where}`);
    log.info(`[SIP] Handling OPTIONS from ${where}`);
    this.send(200, 'OK', lines, from, where);
    log.info(`[SIP] Sent 200 OK for OPTIONS to ${where}`);
  }

  refuse(code, phrase, lines, from, where) {
    log.info(`[SIP] Sending response ${code} ${phrase} to ${where}`);
    this.send(code, phrase, lines, from, where);
  }

  send(code, phrase, lines, from, where, more = []) {
    log.info(`[SIP] Sending response to ${where}`);
    const tag = [200, 401].includes(code) ? `;tag=${crypto.randomBytes(8).toString('hex')}` : '';
    const answer = [
      `SIP/2.0 ${code} ${phrase}`,
      `Via: ${header(lines, 'Via')};received=${from.address};rport=${from.port}`, // the first one only
      `From: ${header(lines, 'From')}`,
      `To: ${header(lines, 'To')}${tag}`,
      `Call-ID: ${header(lines, 'Call-ID')}`,
      `CSeq: ${header(lines, 'CSeq')}`,
      ...more, 'Content-Length: 0', '', '',
    ].join('\r\n');
    this.socket.send(answer, from.port, from.address, (error) => {
      if (error) log.error(`[SIP] Error sending response to ${where}: ${error.message}`);
      else log.info(`[SIP] Response sent successfully to ${where}`);
    });
  }
}

function listen(address, port, trunkPort) {
  return new Promise((started, failed) => {
    const socket = dgram.createSocket('udp4');
    socket.on('error', (error) => {
      log.error(`SIP Server error: ${error.message}`);
      failed(error);
    });
    socket.bind(port, address, () => {
      log.info(`SIP Registrar started on ${address}:${port}`);
      started(new Registrar(socket));
    });
    const trunk = dgram.createSocket('udp4');
    trunk.on('error', () => {});
    trunk.on('message', (packet) => {
      if (packet.toString().startsWith('REGISTER')) log.warn('Unexpected REGISTER request received');
    });
    trunk.bind(trunkPort, '0.0.0.0', () => log.info(`SIP Trunk Manager listening on port ${trunkPort}`));
  });
}

module.exports = { listen, passwords };
