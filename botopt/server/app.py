"""The ASGI application: the gate, and behind it FastAPI's router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from botopt.model.errors import BotoptError, StateError
from botopt.runtime.items import Overloaded, Stopping
from botopt.server.endpoint import bound
from botopt.server.endpoints import DIRECT, ENDPOINTS
from botopt.server.gate import Gate, not_found, wrong_method
from botopt.server.problems import Problem, internal, unavailable, unreadable_state
from botopt.server.site import Site

Answer = Callable[[Request], Awaitable[Response]]


def make_app(site: Site) -> Gate:
    """The application over this site."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    direct = {}
    paths: dict[str, dict[str, Answer]] = {}
    for endpoint in ENDPOINTS:
        answer = paths.setdefault(endpoint.path, {})[endpoint.method] = bound(site, endpoint)
        if endpoint.name in DIRECT:
            direct[endpoint.method, endpoint.path] = answer
    for path, answers in paths.items():
        # Plain routes: FastAPI would look at each request with pydantic, and there is nothing for it to find.
        app.router.add_route(path, _by_method(answers), methods=list(answers))
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Overloaded, _unavailable)
    app.add_exception_handler(Stopping, _unavailable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)  # Starlette raises it again, for the gate to log
    return Gate(site, app, direct)


def _by_method(answers: Mapping[str, Answer]) -> Answer:
    async def answer(request: Request) -> Response:
        method = request.method
        return await answers[method if method in answers else "GET"](request)  # HEAD is asked like GET

    return answer


async def _problem(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Problem)
    return fault.response()


async def _unavailable(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, BotoptError)
    return unavailable(fault).response()


async def _fault(_: Request, fault: Exception) -> Response:
    return (unreadable_state() if isinstance(fault, StateError) else internal()).response()


async def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return wrong_method(request, fault) if fault.status_code == 405 else not_found(request, fault)
