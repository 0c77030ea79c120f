// Drives plausible-tracker, a library for browsers, against the API host given. What a browser would bring
// is here in its smallest form: a location, a document, and an XMLHttpRequest that sends what it is told.
'use strict';

const http = require('http');

const AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
  'Chrome/126.0.6478.127 Safari/537.36';

class XMLHttpRequest {
  open(method, url) {
    this.method = method;
    this.url = url;
    this.headers = {
      'User-Agent': AGENT,
      'X-Forwarded-For': '198.51.100.77',
      'X-Plausible-IP': '198.51.100.77',
      'Sec-CH-UA-Platform': '"Windows"',
      'Accept-Language': 'fr-FR,fr;q=0.9',
      Referer: 'https://www.example.fr/',
    };
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  send(body) {
    const options = { method: this.method, headers: { ...this.headers, 'Content-Length': Buffer.byteLength(body) } };
    const request = http.request(this.url, options, (answer) => {
      answer.resume();
      answer.on('end', () => {
        this.status = answer.statusCode;
        this.readyState = 4;
        statuses.push(answer.statusCode);
        if (this.onreadystatechange) this.onreadystatechange();
      });
    });
    request.on('error', (error) => console.log(JSON.stringify({ statuses: [...statuses, String(error)] })));
    request.end(body);
  }
}

const statuses = [];
Object.assign(globalThis, {
  XMLHttpRequest,
  window: { innerWidth: 1280, localStorage: {} },
  location: { href: 'https://www.example.fr/page?q=été', hostname: 'www.example.fr', protocol: 'https:' },
  document: { referrer: 'https://search.example/?q=paravent' },
});

const Plausible = require('plausible-tracker').default;
const { trackEvent, trackPageview } = Plausible({ domain: 'www.example.fr', apiHost: process.argv[2] });

const callback = () => console.log(JSON.stringify({ statuses }));
trackPageview({}, {
  callback: () => trackEvent('Inscription', { props: { plan: 'pro', note: 'a "quoted" \\ word' }, callback }),
});
