// Drives matomo-tracker against the URL given; prints what came of it as JSON.
'use strict';

const MatomoTracker = require('matomo-tracker');

// The tracker never reads its answers; kept alive, an unread one would hold the process.
require('http').globalAgent = new (require('http').Agent)({ keepAlive: false });

const tracker = new MatomoTracker(7, process.argv[2]);
const errors = [];
tracker.on('error', (error) => errors.push(error));

const visit = {
  url: 'https://www.example.fr/page?a=b&c=%C3%A9#top',
  action_name: 'Accueil été / « bienvenue »',
  ua: 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  urlref: 'https://search.example/?q=paravent+jaune',
  _id: '0123456789abcdef',
  cip: '198.51.100.77',
  token_auth: '0'.repeat(32),
  cvar: JSON.stringify({ 1: ['plan', 'pro'] }),
  res: '1920x1080',
  lang: 'fr-FR,fr;q=0.9',
};

if (process.argv[3] === 'bulk') {
  tracker.trackBulk([{ ...visit }, { ...visit, url: 'https://www.example.fr/2' }], (body) => {
    console.log(JSON.stringify({ errors, body }));
  });
} else {
  tracker.track({ ...visit });
  process.on('exit', () => console.log(JSON.stringify({ errors })));
}
