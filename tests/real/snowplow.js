// Drives @snowplow/node-tracker against the URL given; prints what came of it as JSON.
'use strict';

const { newTracker, buildPageView, buildSelfDescribingEvent } = require('@snowplow/node-tracker');

const url = new URL(process.argv[2]);
const failed = [];
const tracker = newTracker(
  { namespace: 'n', appId: 'shop', encodeBase64: true },
  {
    endpoint: url.hostname,
    protocol: url.protocol.replace(':', ''),
    port: Number(url.port),
    eventMethod: 'post',
    bufferSize: 10,
    onRequestFailure: (data) => failed.push(data.status),
  },
);
tracker.setUserId('u-4711');
tracker.setIpAddress('198.51.100.77');
tracker.setUseragent('Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0');
tracker.track(
  buildPageView({
    pageUrl: 'https://shop.example.fr/cart?email=elodie.martin@example.fr',
    pageTitle: 'Panier',
    referrer: 'https://search.example/?q=elodie',
  }),
);
tracker.track(
  buildSelfDescribingEvent({
    event: {
      schema: 'iglu:fr.example/signup/jsonschema/1-0-0',
      data: { email: 'elodie.martin@example.fr', plan: 'pro', note: 'été' },
    },
  }),
);
Promise.resolve(tracker.flush()).then(() => setTimeout(() => console.log(JSON.stringify({ failed })), 1500));
