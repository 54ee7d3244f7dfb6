// The package's own server binds to every interface; this one serves its handler on loopback and calls nobody.
const http = require('node:http');

process.env.AKISMET_KEY = 'false'; // else the package's own key is used, and a stranger is asked about every comment
process.env.IPQPS = '0'; // no waiting between two comments
process.env.JWT_TOKEN = 'only-for-this-test';

// Every request asks OAUTH_URL first which ways to sign in there are: none.
const oauth = http.createServer((_, answer) => {
  answer.setHeader('content-type', 'application/json');
  answer.end('{"services":[]}');
});
oauth.listen(0, '127.0.0.1', () => {
  process.env.OAUTH_URL = `http://127.0.0.1:${oauth.address().port}`;
  const handler = require('@waline/vercel')({ env: 'production', plugins: [] });
  http.createServer(handler).listen(Number(process.env.PORT), '127.0.0.1');
});
