import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { batchConsumer } from './batch.ts';
import { countStock } from './count-stock.ts';
import { stockLevels } from './stock-level.repository.ts';
import { StockEvent } from './stock-message.schemas.ts';

const environment = readEnvironment(['STOCK_LEVELS_TABLE', 'INBOX_TABLE']);

/** Counts, beside Redis, what is held, sold and retired of each item of a sale. */
export const handler = batchConsumer(
  StockEvent,
  countStock({
    levels: stockLevels(connectDatabase(), { levels: environment.STOCK_LEVELS_TABLE, inbox: environment.INBOX_TABLE }),
    clock,
  }),
  connectFailures(),
);
