/** What there is to answer when there is nothing to load. */
export const handler = async () => ({ statusCode: 200, body: '' });
