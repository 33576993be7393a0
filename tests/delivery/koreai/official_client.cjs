// Runs functions of Kore.ai's web SDK, as they stand in the installed package, against a server.
//
//     node official_client.cjs PATH_OF_THE_SDK '{"url": …, "bot": …, "instance": …, "user": …, "token": …, "say": "text"}'
//
// Without `say` it sends ON_CONNECT. It prints one JSON object: the batches of messages that the SDK would render, and
// whether it called its failure callback. The SDK is made for a browser; what it needs of one stands below.
'use strict'

const fs = require('node:fs')
const http = require('node:http')

const [file, argument] = process.argv.slice(2)
const source = fs.readFileSync(file, 'utf8')
const wanted = JSON.parse(argument)
console.log = () => {}

// ---------------------------------------------------------------- what a browser has

globalThis.window = globalThis
globalThis.location = { href: 'http://127.0.0.1/' }
globalThis.document = { createElement: () => ({}) }
globalThis.XMLHttpRequest = class {
  static OPENED = 1
  static HEADERS_RECEIVED = 2
  static LOADING = 3
  static DONE = 4
  constructor() {
    this.withCredentials = false
    this.readyState = 0
    this.status = 0
    this.responseText = ''
    this.onreadystatechange = () => {}
    this.headers = {}
  }
  open(method, url) {
    Object.assign(this, { method, url: new URL(url), readyState: 1 })
  }
  setRequestHeader(name, value) {
    if (value !== undefined) this.headers[name] = String(value)
  }
  getResponseHeader(name) {
    return this.answer ? this.answer.headers[name.toLowerCase()] ?? null : null
  }
  getAllResponseHeaders() {
    return Object.entries(this.answer.headers).map(([name, value]) => `${name}: ${value}`).join('\r\n')
  }
  send(body) {
    if (body) this.headers['Content-Length'] = Buffer.byteLength(body)
    const request = http.request(this.url, { method: this.method, headers: this.headers }, answer => {
      this.answer = answer
      this.status = answer.statusCode
      answer.setEncoding('utf8')
      answer.on('data', part => { this.responseText += part })
      answer.on('end', () => {
        this.response = this.responseText
        for (this.readyState = 2; this.readyState < 4; this.readyState++) this.onreadystatechange()
        this.onreadystatechange()
      })
    })
    request.on('error', fault => { throw fault })
    request.end(body || undefined)
  }
  abort() {}
}

// ---------------------------------------------------------------- the SDK

function between(start, end) {
  const at = source.indexOf(start)
  const stop = source.indexOf(end, at + start.length)
  if (at < 0 || stop < 0) throw new Error(`the SDK has changed: no ${start}`)
  return source.slice(at + start.length, stop)
}

function botClient() {
  const path = './src/components/base-sdk/kore-bot-sdk-client.js'
  const found = between(`/***/ "${path}":`, '\n/***/ }),')
  const body = found.slice(found.indexOf('=> {') + 4)
  const exported = {}
  const webpack = {
    r: () => {},
    d: (target, getters) => Object.entries(getters).forEach(([name, get]) => Object.defineProperty(target, name, { get })),
    g: globalThis,
    amdO: undefined,
  }
  new Function('module', '__webpack_exports__', '__webpack_require__', body)({}, exported, webpack)
  return exported.default('/KoreBot.js').instance()
}

function ofChatWindow(name) {
  const text = between(`chatWindow.prototype.${name} = function`, '\n    };')
  return new Function(`return function ${text}\n}`)()
}

// ---------------------------------------------------------------- the run

const batches = []
let failed = false
const bot = botClient()
const hook = wanted.instance ? `/hookInstance/${wanted.instance}` : ''
const config = {
  botOptions: {
    koreAPIUrl: `${wanted.url}/api/`,
    userIdentity: wanted.user,
    botInfo: { name: 'bot', _id: wanted.bot, taskBotId: wanted.bot },
    webhookConfig: { enable: true, apiVersion: 2, webhookURL: `${wanted.url}/chatbot/v2/webhook/${wanted.bot}${hook}` },
    assertionFn: (options, callback) => callback(null, { ...options, assertion: wanted.token, handleError: () => {} }),
  },
}
// The SDK takes five characters off its API address before it polls: "/api/" must be all of its path.
bot.init(config.botOptions)

const chatWindow = {
  config,
  bot,
  onBotReady() {},
  handleWebHookResponse: messages => batches.push(messages),
  sendMessageViaWebHook: ofChatWindow('sendMessageViaWebHook'),
  sendWebhookOnConnectEvent: ofChatWindow('sendWebhookOnConnectEvent'),
}

process.on('exit', () => {
  const texts = batches.map(batch => batch.map(message => message.message[0].cInfo.body))
  process.stdout.write(JSON.stringify({ texts, failed }) + '\n')
})

if (wanted.say === undefined) {
  chatWindow.sendWebhookOnConnectEvent()
} else {
  chatWindow.sendMessageViaWebHook(wanted.say, chatWindow.handleWebHookResponse, () => { failed = true })
}
