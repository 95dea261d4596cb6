// Reads JSON texts, a list of them, and says how JavaScript writes each, and its signature with the key «secret» at 1.
import { createHmac } from 'node:crypto';

const told = JSON.parse(process.argv[2]).map((text) => {
  const written = JSON.stringify(JSON.parse(text));
  return [written, createHmac('sha256', 'secret').update(`1.${written}`).digest('hex')];
});
console.log(JSON.stringify(told));
