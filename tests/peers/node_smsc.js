// An SMSC made of node-smpp's server: tells what it parsed as JSON lines on stdout.
// usage: node node_smsc.js; NODE_PATH names the folder that `smpp` is installed in.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const RECEIPT_MS = 50;
const ENQUIRE_MS = 1000;
const DELIVERED = 2;
const sessions = new Set();
let submits = 0;

function tell(event, fields) {
  console.log(JSON.stringify({event, ...fields}));
}

// Receipts by turns as text alone and with the TLVs as well; the id is hexadecimal in the response, decimal here.
function sendReceipt(session, submit, number) {
  const id = String(number);
  const text = `id:${id} sub:001 dlvrd:001 submit date:2401011200 done date:2401011200 stat:DELIVRD err:000 text:`;
  const tlvs = number % 2 ? {} : {receipted_message_id: id, message_state: DELIVERED};
  session.deliver_sm({
    source_addr_ton: submit.dest_addr_ton,
    source_addr_npi: submit.dest_addr_npi,
    source_addr: submit.destination_addr,
    dest_addr_ton: submit.source_addr_ton,
    dest_addr_npi: submit.source_addr_npi,
    destination_addr: submit.source_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: text,
    ...tlvs,
  }, answer => tell('receipt_answered', {id, status: answer.command_status}));
}

function takeSubmit(session, pdu) {
  // Not a small number: one that reads differently in hexadecimal and in decimal.
  const number = 0x9A00000000 + ++submits;
  const {udh = [], message} = pdu.short_message;
  tell('submit', {
    id: String(number),
    source: pdu.source_addr,
    source_ton: pdu.source_addr_ton,
    source_npi: pdu.source_addr_npi,
    destination: pdu.destination_addr,
    dest_ton: pdu.dest_addr_ton,
    dest_npi: pdu.dest_addr_npi,
    esm_class: pdu.esm_class,
    data_coding: pdu.data_coding,
    registered_delivery: pdu.registered_delivery,
    // node-smpp makes a date of a relative time.
    validity_s: (pdu.validity_period - Date.now()) / 1000,
    udh: udh.map(element => element.toString('hex')),
    text: message,
  });
  session.send(pdu.response({message_id: number.toString(16).toUpperCase()}));
  const receiver = session.receives ? session : [...sessions].find(other => other.receives);
  setTimeout(sendReceipt, RECEIPT_MS, receiver, pdu, number);
}

function takeBind(session, pdu) {
  tell('bind', {command: pdu.command, system_id: pdu.system_id, password: pdu.password,
    interface_version: pdu.interface_version});
  session.send(pdu.response({system_id: 'node-smpp', sc_interface_version: 0x34}));
  session.receives = pdu.command !== 'bind_transmitter';
  sessions.add(session);
  session.alive = setInterval(() => session.enquire_link(
    answer => tell('enquire_link_answered', {status: answer.command_status})), ENQUIRE_MS);
}

const server = smpp.createServer(session => {
  for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(command, pdu => takeBind(session, pdu));
  }
  session.on('submit_sm', pdu => takeSubmit(session, pdu));
  session.on('enquire_link', pdu => {
    tell('enquire_link');
    session.send(pdu.response());
  });
  session.on('unbind', pdu => {
    tell('unbind');
    session.send(pdu.response());
    session.close();
  });
  session.on('unknown', pdu => tell('unknown', {command_id: pdu.command_id}));
  session.on('generic_nack', pdu => tell('generic_nack', {status: pdu.command_status}));
  session.on('error', error => tell('error', {message: error.message}));
  session.on('close', () => {
    clearInterval(session.alive);
    sessions.delete(session);
    tell('close');
  });
});
server.listen(0, '127.0.0.1', () => tell('listening', {port: server.address().port}));

// {"command": "unbind", "fields": {…}} sends that PDU on every session; "answered" tells what came back.
readline.createInterface({input: process.stdin}).on('line', line => {
  const {command, fields = {}} = JSON.parse(line);
  for (const session of sessions) {
    session[command](fields, answer => {
      tell('answered', {command: answer.command, status: answer.command_status});
      if (command === 'unbind') {
        session.close();
      }
    });
  }
});
