import { extensions, util } from '@aws-appsync/utils';

/** Subscription.onTokenReceived, on a NONE data source. Runs once, when a client subscribes. */
export function request(ctx) {
  // AppSync lets id tokens in too. Those are made for the client, not for an API.
  if (ctx.identity.claims.token_use !== 'access') {
    util.unauthorized();
  }
  return { payload: null };
}

export function response(ctx) {
  // A filter set here replaces the one that AppSync makes from the arguments, so it holds both conditions. With
  // `owner` nobody hears another user's stream, even knowing its id.
  const filter = { sessionId: { eq: ctx.args.sessionId }, owner: { eq: ctx.identity.sub } };
  extensions.setSubscriptionFilter(util.transform.toSubscriptionFilter(filter));
  return null;
}
