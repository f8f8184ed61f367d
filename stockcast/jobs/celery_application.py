"""Celery over Redis or RabbitMQ, as far as this house needs it: one kind of message, which names a job."""

from __future__ import annotations

from celery import Celery
from kombu.entity import Queue

from stockcast.jobs.job import TRAIN, TRIAL, TUNE
from stockcast.settings import Settings

TASK = "stockcast.do"
QUEUES = ("train", "quick")  # what takes long, and what somebody waits for
CONNECT = 2.0  # seconds


def queue_for(kind: str) -> str:
    """Which queue rings for a kind of job."""
    return "train" if kind in (TRAIN, TUNE, TRIAL) else "quick"


def queue_name(settings: Settings, queue: str) -> str:
    """What a queue is called at the broker, which several installations may share."""
    return f"{settings.queue_prefix}.{queue}"


def celery_application(settings: Settings) -> Celery:
    """The application of these settings; nothing is connected yet.

    A message counts as delivered when its job has been seen to (`acks_late`), so that whoever is busy holds no
    bell that another could hear. A broker that gives such a message to somebody else meanwhile does no harm: the
    job is taken by then. It is told all the same to wait as long as a job may take.
    """
    longest = settings.job_hours * 3600 + 600  # seconds
    url = settings.broker_url.get_secret_value()
    application = Celery("stockcast", broker=url, set_as_current=False)
    waits: dict[str, object] = {"confirm_publish": True, "connect_timeout": CONNECT}  # RabbitMQ's
    if url.startswith(("redis", "rediss")):
        waits = {
            "visibility_timeout": longest,
            "socket_connect_timeout": CONNECT,
            "socket_keepalive": True,
            "health_check_interval": 10,
        }
    application.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=queue_name(settings, "quick"),
        task_queues=[
            Queue(  # type: ignore[no-untyped-call]
                queue_name(settings, queue), queue_arguments={"x-consumer-timeout": int(longest * 1000)}
            )
            for queue in QUEUES
        ],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_detect_quorum_queues=False,
        broker_transport_options=waits,
        broker_connection_timeout=CONNECT,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
    )
    return application
