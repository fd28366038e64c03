/** Starts the page. */
import { createFitCheckClient } from '../client/index.ts';
import { createApp } from './app.ts';
import { createHistory, type Shelf } from './model/history.ts';
import { startThemeSwitch } from './view/theme-switch.ts';

startThemeSwitch();
createApp(createFitCheckClient(), createHistory(shelf())).start();

/** Reading the property alone throws where storage is off. */
function shelf(): Shelf | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}
