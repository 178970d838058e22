// What the JavaScript of this folder shares; the same interface as checks.py: called as
// `script LAB_JSON_FILE`, plain sentences on stderr for what is not as it should be, at the
// end `ok: N checks` on stdout and exit code 0, or exit code 1.
'use strict';

const fs = require('fs');
const http = require('http');

class Checks {
  constructor() {
    this.count = 0;
    this.failed = 0;
  }

  // One check: `sentence` says what should be so.
  that(holds, sentence) {
    this.count += 1;
    if (!holds) {
      this.failed += 1;
      console.error(`not so: ${sentence}`);
    }
    return Boolean(holds);
  }

  // One check that two values are the same.
  equal(found, due, sentence) {
    const [left, right] = [JSON.stringify(found), JSON.stringify(due)];
    return this.that(left === right, `${sentence}: ${right} was due, ${left} came`);
  }

  // One check that an action fails; gives the failure.
  async rejects(action, sentence) {
    try {
      const result = await action();
      this.that(false, `${sentence}: it went through and gave ${JSON.stringify(result)}`);
      return null;
    } catch (failure) {
      this.count += 1;
      return failure;
    }
  }
}

class Lab {
  constructor(path) {
    this.description = JSON.parse(fs.readFileSync(path, 'utf8').split('\n')[0]);
    this.exchange = this.description.exchange;
    this.salesforce = this.description.salesforce;
    this.people = this.description.people;
  }

  // One call of the lab's control surface; gives the parsed answer.
  control(method, path, body) {
    return new Promise((resolve, reject) => {
      const request = http.request(this.description.control_url + path, { method }, (answer) => {
        let text = '';
        answer.on('data', (piece) => (text += piece));
        answer.on('end', () => resolve(JSON.parse(text || 'null')));
      });
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

// Runs the parts of a script one after the other; one that breaks does not stop the rest.
async function main(parts) {
  if (process.argv.length !== 3) {
    console.error(`usage: ${process.argv[1]} LAB_JSON_FILE`);
    process.exit(2);
  }
  const lab = new Lab(process.argv[2]);
  const checks = new Checks();
  for (const part of parts) {
    try {
      await part(lab, checks);
    } catch (failure) {
      checks.failed += 1;
      console.error(`${part.name} broke off:`, failure);
    }
  }
  if (checks.failed > 0) {
    console.error(`${checks.failed} of ${checks.count} checks did not hold`);
    process.exit(1);
  }
  console.log(`ok: ${checks.count} checks`);
  // Clients keep sockets open; nothing is left to wait for.
  process.exit(0);
}

module.exports = { main };
