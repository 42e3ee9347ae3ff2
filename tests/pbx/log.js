// The PBX's two logs: coloured lines on stdout (pm2 stamps and stores them) and winston's JSON in combined.log.
'use strict';
const fs = require('fs');
const path = require('path');

const COLOURS = { info: 32, warn: 33, error: 31 };
const MAX_BYTES = Number(process.env.LOG_MAX_BYTES || 10 * 1024 * 1024);
const folder = process.env.LOG_PATH;
// Without pm2: this file gets what pm2 would have written. With pm2: not set.
const asPm2 = process.env.AS_PM2_LOG;
let number = 0;
let written = 0;

function two(value) {
  return String(value).padStart(2, '0');
}

function stamp() {
  const now = new Date();
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-');
  return `${day} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}

function print(text) {
  if (!asPm2) return process.stdout.write(`${text}\n`);
  // pm2 puts its own stamp before each physical line, also before those a client smuggled in.
  const lines = text.split('\n').map((line) => `${stamp()} +00:00: ${line}\n`);
  return fs.appendFileSync(asPm2, lines.join(''));
}

// Full at 10 MB, winston goes on in combined1.log, combined2.log …; it is not `tailable`.
function store(record) {
  if (!folder) return;
  const line = `${JSON.stringify(record)}\n`;
  if (written >= MAX_BYTES) {
    number += 1;
    written = 0;
  }
  fs.appendFileSync(path.join(folder, `combined${number || ''}.log`), line);
  written += Buffer.byteLength(line);
}

function log(level, message) {
  const at = stamp();
  print(`${at} \x1b[${COLOURS[level]}m${level}\x1b[39m: ${message}`);
  store({ level, message, service: 'pbx-system', timestamp: at });
}

module.exports = {
  info: (message) => log('info', message),
  warn: (message) => log('warn', message),
  error: (message) => log('error', message),
  debug: print, // console.log: never in combined.log
};
