// A stand-in for the PBX: it speaks SIP and HTTP and logs as the real one was seen to, faults included.
//
// Environment: SIP_HOST, SIP_PORT, TRUNK_PORT, HOST, PORT, SIP_DOMAIN, DATABASE (a JSON file), LOG_PATH (a folder for
// combined.log), LOG_MAX_BYTES, AS_PM2_LOG (a file, when pm2 is not there), API_USER, API_PASSWORD, API_LIMIT,
// ONLINE_HELD_MS.
'use strict';
const api = require('./api');
const log = require('./log');
const sip = require('./sip');

const { SIP_HOST = '0.0.0.0', HOST = '0.0.0.0', SIP_DOMAIN = 'c.soundz.uz' } = process.env;
const SIP_PORT = Number(process.env.SIP_PORT || 5060);
const TRUNK_PORT = Number(process.env.TRUNK_PORT || 5061);
const PORT = Number(process.env.PORT || 3005);

async function main() {
  try {
    await sip.listen(SIP_HOST, SIP_PORT, TRUNK_PORT);
    log.info('[SIP] Starting trunk registration...');
    log.info('Database connected successfully');
    log.info('SIP Trunk Manager initialized with 0 trunks');
    log.info('Loading 3 extensions on startup...');
    log.info('Extension passwords will be loaded from cache when extensions are created/updated');
    await api.listen(HOST, PORT);
    log.info(`PBX System server started on ${HOST}:${PORT}`);
    log.info(`SIP Domain: ${SIP_DOMAIN}`);
  } catch (error) {
    log.error(`Failed to start server: ${error.message}`);
    setTimeout(() => process.exit(1), 50); // stdout is a pipe: let the line out
  }
}

function stop(signal) {
  log.info(`${signal} received, shutting down gracefully`);
  log.info('SIP Registrar stopped');
  log.info('HTTP server closed');
  setTimeout(() => process.exit(0), 50);
}

process.on('SIGINT', () => stop('SIGINT'));
process.on('SIGTERM', () => stop('SIGTERM'));
process.on('SIGUSR2', () => { // PostgreSQL was restarted
  log.error('Unexpected error on idle client terminating connection due to administrator command');
  setTimeout(() => process.exit(-1), 50);
});

main();
