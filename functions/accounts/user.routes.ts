import { defineRoute, type Route } from '../shared/route.ts';
import { MeAnswer, NewCredit, NewUser, UserAnswer, UserPath } from './user.schemas.ts';

const tag = 'Accounts';

export const createUserRoute = defineRoute({
  operationId: 'createUser',
  method: 'POST',
  path: '/v1/users',
  access: 'operate',
  tag,
  summary: 'Give a buyer an account',
  body: NewUser,
  status: 201,
  answer: UserAnswer,
  problems: ['ALREADY_EXISTS'],
  servedBy: 'api',
});

export const readUserRoute = defineRoute({
  operationId: 'readUser',
  method: 'GET',
  path: '/v1/users/{userId}',
  access: 'operate',
  tag,
  summary: 'Read a buyer’s account',
  params: UserPath,
  status: 200,
  answer: UserAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const creditUserRoute = defineRoute({
  operationId: 'creditUser',
  method: 'POST',
  path: '/v1/users/{userId}/credits',
  access: 'operate',
  tag,
  summary: 'Put money on a buyer’s account',
  description: 'The answer shows the balance right after this credit.',
  keyed: true,
  params: UserPath,
  body: NewCredit,
  status: 200,
  answer: UserAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const readMeRoute = defineRoute({
  operationId: 'readMe',
  method: 'GET',
  path: '/v1/me',
  access: 'buy',
  tag,
  summary: 'Read one’s own account',
  status: 200,
  answer: MeAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const userRoutes: readonly Route[] = [createUserRoute, readUserRoute, creditUserRoute, readMeRoute];
