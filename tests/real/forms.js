// Sends a contact form with Node's own fetch, in the three ways that scripts of sites do; prints the statuses.
'use strict';

const url = process.argv[2];
const fields = JSON.parse(process.argv[3]);

async function main() {
  const multipart = new FormData();
  for (const [name, value] of Object.entries(fields)) multipart.append(name, value);
  const statuses = [];
  for (const body of [new URLSearchParams(fields), multipart]) {
    statuses.push((await fetch(url, { method: 'POST', body })).status);
  }
  const headers = { 'Content-Type': 'application/json' };
  statuses.push((await fetch(url, { method: 'POST', headers, body: JSON.stringify(fields) })).status);
  console.log(JSON.stringify({ statuses }));
}

main();
