// Failure is what went wrong with a plug-in, with a cause and a next step for the person
// in both languages. Everything that is thrown to main.mjs is one, or a mistake of ours.
export class Failure extends Error {
  constructor(code, ru, en) {
    super(ru);
    this.code = code;
    this.ru = ru;
    this.en = en;
  }
}
