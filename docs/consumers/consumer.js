"use strict";
// Takes the appeals of one department into the current folder. Settings: AMQP_URL, DEPARTMENT.
// Node 18 or newer and `npm install amqplib`.
//
// inbox.jsonl holds every message once, in the order in which it came; appeals/CASE.json holds the newest of each case.
// Put your own database in their place: what matters is the order "store, answer, acknowledge".

const amqp = require("amqplib");
const fs = require("fs");
const path = require("path");

const INBOX = "inbox.jsonl";
const APPEALS = "appeals";
const department = process.env.DEPARTMENT;
const user = decodeURIComponent(new URL(process.env.AMQP_URL).username);
const seen = new Set();
const newest = new Map();
let pause = 1; // seconds before the next try

// Says whether it is the newest of its case.
function note(message) {
  seen.add(message.id);
  if (!message.type.startsWith("appeal.")) return false; // what became of our feedback: or a statement: kept, and no appeal
  const { case: number, sequence } = message.data;
  if ((newest.get(number) || 0) >= sequence) return false; // late: kept, but it does not win
  newest.set(number, sequence);
  return true;
}

// Reads back what was stored before a restart; a line torn by a crash was never acknowledged and comes again.
function remember() {
  fs.mkdirSync(APPEALS, { recursive: true });
  if (!fs.existsSync(INBOX)) return;
  for (const line of fs.readFileSync(INBOX, "utf8").split("\n").filter(Boolean)) {
    try {
      note(JSON.parse(line));
    } catch (torn) {
      console.log("the last line was cut by a crash");
    }
  }
}

function read(content) {
  try {
    const message = JSON.parse(content.toString("utf8"));
    if (message.id && message.type && !message.type.startsWith("appeal.")) return message; // of no one case
    const { case: number, sequence } = message.data;
    return message.id && message.type && number !== undefined && sequence !== undefined ? message : null;
  } catch (unreadable) {
    return null;
  }
}

// Keeps the message once, and brings the appeal up to date unless something newer is already there.
function store(message) {
  if (seen.has(message.id)) return; // a repeat
  const file = fs.openSync(INBOX, "a");
  fs.writeSync(file, JSON.stringify(message) + "\n");
  fs.fsyncSync(file);
  fs.closeSync(file);
  if (note(message)) {
    const draft = path.join(APPEALS, "draft.tmp");
    fs.writeFileSync(draft, JSON.stringify(message));
    fs.renameSync(draft, path.join(APPEALS, message.data.case + ".json"));
  }
}

// Tells the centre that a program has it; nobody has looked yet. The same id again is dropped there.
function answer(out, message) {
  const feedback = {
    kind: "received",
    id: "received-" + message.id,
    case: message.data.case,
    dispatch: message.data.dispatch,
    at: new Date().toISOString(),
    handler: "接收程序",
  };
  const options = { userId: user, contentType: "application/json", persistent: true }; // the broker checks userId
  return new Promise((done, failed) =>
    out.publish("feedback", department, Buffer.from(JSON.stringify(feedback)), options, (problem) =>
      problem ? failed(problem) : done(),
    ),
  );
}

async function listen() {
  const connection = await amqp.connect(process.env.AMQP_URL);
  const closed = new Promise((done) => connection.once("close", done));
  connection.on("error", (problem) => console.log("connection lost:", problem.message));
  // Whatever goes wrong: what is not acknowledged comes again once this connection is closed.
  const again = (problem) => {
    console.log("not stored or not answered, it comes again:", problem.message);
    connection.close().catch(() => {}); // closed already
  };
  try {
    const channel = await connection.createConfirmChannel();
    channel.on("error", again);
    await channel.prefetch(50);
    await channel.consume("dept." + department, async (delivery) => {
      try {
        if (delivery === null) throw new Error("the queue is gone for now");
        const message = read(delivery.content);
        if (message === null) {
          console.log("cannot read", delivery.properties.messageId);
          return channel.nack(delivery, false, false); // the centre parks it
        }
        store(message);
        if (message.type === "appeal.dispatched.v1") await answer(channel, message);
        channel.ack(delivery);
        pause = 1;
      } catch (problem) {
        again(problem);
      }
    });
    console.log("listening");
  } catch (problem) {
    again(problem);
  }
  await closed;
}

(async () => {
  remember();
  for (;;) {
    try {
      await listen();
    } catch (problem) {
      console.log("no connection, trying again:", problem.message);
    }
    await new Promise((done) => setTimeout(done, pause * 1000));
    pause = Math.min(pause * 2, 60); // after twenty deliveries a message is parked at the centre
  }
})();
