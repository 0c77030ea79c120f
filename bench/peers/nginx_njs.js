// The gateway's job in nginx's JavaScript. njs cannot change a body that proxy_pass sends, so the handler reads it,
// writes its own and hands that to an internal location, as njs's documentation advises. Keyed hashes by the
// built-in HMAC, the message by WebCrypto's AES-256-GCM.

import qs from 'querystring';

const crypt = require('crypto');
const hashKey = 'k'.repeat(32);
const hashed = ['name', 'email', 'phone', 'city'];

let sealKey = null;

function keyedHash(name, value) {
    return crypt.createHmac('sha256', hashKey).update(name).update('\0').update(value).digest('base64url');
}

async function sealed(value) {
    if (sealKey === null) {
        sealKey = await crypto.subtle.importKey('raw', Buffer.from('s'.repeat(32)), 'AES-GCM', false, ['encrypt']);
    }
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const text = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, sealKey, Buffer.from(value));
    return Buffer.concat([Buffer.from(nonce), Buffer.from(text)]).toString('base64url');
}

async function protect(r) {
    if (r.method !== 'POST') {
        r.return(405);
        return;
    }
    const form = qs.parse(r.requestText);
    if (Object.keys(form).length !== hashed.length + 1 || typeof form.message !== 'string') {
        r.return(422);
        return;
    }
    const parts = [];
    for (let i = 0; i < hashed.length; i++) {
        const value = form[hashed[i]];
        if (typeof value !== 'string') {
            r.return(422);
            return;
        }
        parts.push(hashed[i] + '=' + keyedHash(hashed[i], value));
    }
    // Outside of the loop: njs 0.7.9 falls over an await within one.
    const message = await sealed(form.message);
    parts.push('message=' + message);
    const answer = await r.subrequest('/application', { method: 'POST', body: parts.join('&') });
    r.return(answer.status, answer.responseText);
}

export default { protect };
