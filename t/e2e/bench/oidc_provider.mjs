// The certified npm provider over https, logging everyone in by itself.
// Configuration as JSON in the environment variable E2E_OP; prints "ready" when it listens.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider, { interactionPolicy } from 'oidc-provider';

const setup = JSON.parse(process.env.E2E_OP);
const account = setup.account;

const encryptionAlgs = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW',
  'ECDH-ES+A256KW'];

const { Check } = interactionPolicy;
const policy = interactionPolicy.base();
policy.clear();  // no prompt is ever needed: grant and login are made below

const provider = new Provider(setup.issuer, {
  clients: [setup.client],
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    jwtUserinfo: { enabled: true },
    encryption: { enabled: true },
    introspection: { enabled: true },
    jwtIntrospection: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        const script = '<script>document.forms[0].submit()</script>';
        ctx.body = `${form.replace('</form>', '<input name="logout" value="yes"></form>')}${script}`;
      },
    },
    backchannelLogout: { enabled: true },
    mTLS: {
      enabled: true, selfSignedTlsClientAuth: true, tlsClientAuth: true,
      getCertificate: (ctx) => ctx.socket.getPeerX509Certificate(),
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_san_dns'
        && ctx.socket.getPeerX509Certificate().subjectAltName.includes(`DNS:${expected}`),
    },
  },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt',
    'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', 'none'],
  interactions: { policy, url: () => '/never' },
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: {
    AccessToken: (ctx) => (ctx.oidc.params.grant_type === 'refresh_token'
      ? setup.refreshedTokenLife : setup.accessTokenLife),
    IdToken: 300, RefreshToken: 3600, Grant: 3600, Session: 3600,
  },
  claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['e2e'] },
  enabledJWA: {
    idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
    userinfoSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
    idTokenEncryptionAlgValues: encryptionAlgs,
    userinfoEncryptionAlgValues: encryptionAlgs,
    introspectionEncryptionAlgValues: encryptionAlgs,
    clientAuthSigningAlgValues: ['HS256', 'HS512', 'RS256', 'RS512', 'PS256', 'PS384', 'ES256',
      'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  },
  jwks: setup.jwks,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ ...account, sub: id }) }),
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile email offline_access');
    await grant.save();
    return grant;
  },
});

provider.proxy = false;
provider.use(async (ctx, next) => {  // everyone who asks is logged in
  if (ctx.path === '/auth') {
    const original = provider.Session.get;
    provider.Session.get = async function get(...args) {
      const session = await original.apply(this, args);
      if (!session.accountId) await session.loginAccount({ accountId: account.sub });
      return session;
    };
    try { await next(); } finally { provider.Session.get = original; }
  } else {
    await next();
  }
});
provider.on('server_error', (ctx, error) => console.error('server_error', error));
provider.on('backchannel.success', () => console.log('backchannel called'));
provider.on('backchannel.error', (ctx, error) => console.error('backchannel.error', error.message));
provider.on('grant.success', (ctx) => console.log('granted', ctx.oidc.params.grant_type));
provider.on('grant.revoked', () => console.log('revoked a grant'));
provider.on('grant.error', (ctx, error) => console.error('grant.error', error.error_description));
provider.on('authorization.error',
  (ctx, error) => console.error('authorization.error', error.error_description));

createServer({
  cert: readFileSync(setup.cert), key: readFileSync(setup.key), ca: readFileSync(setup.ca),
  requestCert: true, rejectUnauthorized: false,  // whoever has none may still come in
}, provider.callback())
  .listen(setup.port, '127.0.0.1', () => console.log('ready'));
