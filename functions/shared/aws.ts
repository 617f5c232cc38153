/**
 * How every AWS client of a container is set up. A call ends by itself, as an outcome and not as a kill: an attempt that is not answered
 * in time is given up and made again on another socket, since one that died while the container was frozen gives no error.
 */
export const clientDefaults = {
  maxAttempts: 3,
  requestHandler: {
    // Two seconds, because a container that is busy with a crowd takes as long to look at its own sockets.
    connectionTimeout: 2_000,
    requestTimeout: 2_000,
    throwOnRequestTimeout: true,
    httpsAgent: { maxSockets: 256, keepAlive: true },
    httpAgent: { maxSockets: 256, keepAlive: true },
  },
};
