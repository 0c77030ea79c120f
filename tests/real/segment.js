// Drives @segment/analytics-node against the URL given; prints what came of it as JSON.
'use strict';

const { Analytics } = require('@segment/analytics-node');

const errors = [];
const analytics = new Analytics({ writeKey: 'write-key', host: process.argv[2], flushAt: 20, maxRetries: 0 });
analytics.on('error', (error) => errors.push(String(error.code || error)));

analytics.identify({
  userId: 'u-4711',
  traits: { email: 'elodie.martin@example.fr', firstName: 'Élodie', phone: '06 12 34 56 78', plan: 'pro' },
  context: { ip: '198.51.100.77', locale: 'fr-FR' },
});
analytics.track({
  userId: 'u-4711',
  anonymousId: 'a-1',
  event: 'Order Completed',
  properties: { total: 19.9, items: [], note: 'été' },
  context: { ip: '198.51.100.77', traits: { email: 'elodie.martin@example.fr' } },
});
analytics.page({
  userId: 'u-4711',
  name: 'Panier',
  properties: { url: 'https://shop.example.fr/cart?email=elodie.martin@example.fr', search: '?email=elodie' },
});
analytics.closeAndFlush({ timeout: 10000 }).then(() => console.log(JSON.stringify({ errors })));
