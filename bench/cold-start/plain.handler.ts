import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { Redis } from 'ioredis';
import { z } from 'zod';

// What the function that places orders is compared with at its start: the same packages, written as their documentation shows them, for a request that
// is checked by a schema, runs one script and writes one item. It does much less, and is bundled by the same bundler with the same options.

const Environment = z.object({ ORDERS_TABLE: z.string().min(1), REDIS_URL: z.url() });
const Order = z.strictObject({
  items: z.array(z.strictObject({ sku: z.string().min(1), quantity: z.int().min(1).max(20) })).min(1),
  payment: z.strictObject({ method: z.enum(['balance', 'external']) }),
});

const environment = Environment.parse(process.env);
const database = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const redis = new Redis(environment.REDIS_URL);

const script = `
local left = tonumber(redis.call('GET', KEYS[1]) or '1000000')
if left < tonumber(ARGV[1]) then return -1 end
redis.call('SET', KEYS[1], left - ARGV[1])
return left
`;

type Result = APIGatewayProxyStructuredResultV2;

const place = async (event: APIGatewayProxyEventV2WithJWTAuthorizer): Promise<Result> => {
  const { items } = Order.parse(JSON.parse(event.body ?? ''));
  const quantity = items.reduce((sum, item) => sum + item.quantity, 0);
  const saleId = event.pathParameters?.saleId ?? '';
  const unit = Number(await redis.eval(script, 1, `plain:${saleId}`, quantity));
  if (unit < 0) return { statusCode: 409, body: JSON.stringify({ code: 'SOLD_OUT' }) };
  const orderId = `plain-${saleId}-${unit}`;
  const buyerId = String(event.requestContext.authorizer.jwt.claims.sub);
  await database.send(
    new PutCommand({
      TableName: environment.ORDERS_TABLE,
      Item: { orderId, saleId, buyerId, items },
      ConditionExpression: 'attribute_not_exists(orderId)',
    }),
  );
  return { statusCode: 201, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ orderId, unit }) };
};

export const handler = middy<APIGatewayProxyEventV2WithJWTAuthorizer, Result>(place).use({
  onError: (request) => {
    request.response = { statusCode: 500, body: JSON.stringify({ message: String(request.error) }) };
  },
});
