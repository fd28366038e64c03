/** Starts the page. */
import 'uplot/dist/uPlot.min.css';
import './style/index.css';
import { render } from 'preact';
import { Console } from './model/console.ts';
import { Root } from './view/root.tsx';
import { startTheme } from './view/theme.ts';

startTheme();
const root = document.getElementById('app');
if (root !== null) render(<Root console={new Console()} />, root);
