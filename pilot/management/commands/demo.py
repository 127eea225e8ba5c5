"""``manage.py demo``: build the demonstration up to a stage and serve it."""

import json
import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from pilot.demo import build
from pilot.errors import PilotError

LOOK_AT = {
    "intake": "reviewer44：待受理的申请；provider08：填写一半的草稿；/guide/：办事指南",
    "review": "reviewer44、lead44：拟写与签发意见；officer1：各省汇总报送",
    "assessment": "assessor1：回避申报与评分；officer1：结论；approver1：名单",
    "running": "officer1：工作台上的各单位准确率；provider01：本单位上报批次、差错",
    "supervision": "lead44：整改；approver1：处理决定；officer1：通报",
    "closing": "officer1：全过程数据；/list/：已公布名单",
}


class Command(BaseCommand):
    help = "Build the demonstration (invented organisations, people and forms) up to a stage, then serve it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stage", choices=list(build.STAGES), default="running")
        parser.add_argument("--forms", type=int, default=300, help="synthetic forms per unit up to 'running'")
        parser.add_argument("--no-serve", action="store_true", help="print a JSON summary and end")
        parser.add_argument(
            "--json", action="store_true", help="print the summary as JSON (always with --no-serve)"
        )
        parser.add_argument("--port", type=int, default=int(os.environ.get("PILOT_PORT", "8000")))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forms"] < 0:
            raise CommandError("--forms 不能为负数 / must not be negative")
        call_command("migrate", interactive=False, verbosity=0)
        try:
            summary = build.build(options["stage"], forms=options["forms"], say=self.stderr.write)
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        if options["no_serve"] or options["json"]:
            self.stdout.write(json.dumps(summary, ensure_ascii=False, indent=1))
        if options["no_serve"]:
            return
        self._greet(summary, options["port"])
        connections.close_all()
        call_command("serve", port=options["port"])

    def _greet(self, summary: dict[str, Any], port: int) -> None:
        self.stdout.write(
            f"\n演示环境：{summary['stage']}（{summary['seconds']} 秒）  http://127.0.0.1:{port}/"
        )
        for who, login in summary["logins"].items():
            self.stdout.write(f"  {who}：{login}")
        self.stdout.write(f"  看什么：{LOOK_AT[summary['stage']]}\n")
