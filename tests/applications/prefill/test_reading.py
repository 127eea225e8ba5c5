"""What one cell or field says: read surely, or refused in words. Pure; real files are in ``test_filled_forms``."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from applications.rules.form import FIELDS, FormField, Kind
from applications.rules.prefill import EPOCH_1904, Found, is_same, read
from applications.rules.prefill_text import Unclear

DAY, NUMBER, PHONE = "planned_start", "filed_subjects", "emergency_phone"
WRITE_IT = "日期写法无法确定，请写成 2019-05-16"
NO_OPTION = "不是选项中的任何一项"
NOT_TEXT = "单元格不是文本，可能丢失前导零或写法，请改为文本"


@pytest.mark.parametrize(
    ("key", "found", "value"),
    [
        (DAY, datetime(2019, 5, 16), "2019-05-16"),
        (DAY, date(2019, 5, 16), "2019-05-16"),
        (DAY, 20190516.0, "2019-05-16"),
        (DAY, "43601", "2019-05-16"),
        (DAY, "20190516", "2019-05-16"),
        (DAY, "二〇一九年五月三十一日", "2019-05-31"),
        (DAY, "二○一九年十月二十日", "2019-10-20"),
        (DAY, "　", None),
        (NUMBER, 12_000.0, 12_000),
        (NUMBER, "12000.00", 12_000),
        (NUMBER, "1.2万户", 12_000),
        (NUMBER, "12 000 个", 12_000),
        (NUMBER, 10**12, 10**12),
        (PHONE, 4001234567, "4001234567"),
        (PHONE, "400 123 4567", "4001234567"),
        (PHONE, "+86 139 0000 0002", "13900000002"),
        (PHONE, "(020) 8000 0010-12", "020-80000010-12"),
        ("contact_mobile", "+86 139-0000-0002", "13900000002"),
        ("principal_email", "ｐｉｌｏｔ＠example.cn", "pilot@example.cn"),
        ("licence_number", " ｂ１-20180123号 ", "B1-20180123号"),
        ("protection_level", 3.0, "3"),
        ("protection_level", "", None),
        ("channels", frozenset({"h5", "app"}), ["app", "h5"]),
        ("channels", frozenset(), None),
        ("channels", "APP：是；H5：否", ["app"]),
        ("channels", "H5×", None),
        ("channels", "APP□ H5□", None),
    ],
)
def test_what_is_sure_is_read(key: str, found: Found, value: Any) -> None:
    assert read(FIELDS[key], found) == value


@pytest.mark.parametrize(
    ("key", "found", "why"),
    [
        (DAY, datetime(2019, 5, 16, 9), "日期带有时刻，无法确定"),
        (DAY, time(9), "不是日期"),
        (DAY, True, "不是日期"),
        (DAY, 43601.5, "不是日期"),
        (DAY, 2019, "不是日期"),
        (DAY, 99_999_999, "不是日期"),
        (DAY, "16/5/2019", WRITE_IT),
        (DAY, "2019-02-29", "没有这一天"),
        (DAY, 20191301, "没有这一天"),
        (DAY, date(1979, 12, 31), "年份不在合理范围内"),
        (DAY, "2100-01-01", "年份不在合理范围内"),
        (DAY, "二〇一九年一二月一日", WRITE_IT),
        (DAY, "二〇一九年二月一十十日", WRITE_IT),
        (DAY, "二〇一九年二月一二十日", WRITE_IT),
        (NUMBER, True, "不是数字"),
        (NUMBER, timedelta(days=1), "不是数字"),
        (NUMBER, 1.5, "不是整数"),
        (NUMBER, "1.23456万", "不是整数"),
        (NUMBER, "1" + ",000" * 1_500, "数字超出范围"),
        (NUMBER, -1, "数字超出范围"),
        (NUMBER, 10**12 + 1, "数字超出范围"),
        (PHONE, True, "不是电话号码"),
        (PHONE, 2000000010, NOT_TEXT),
        (PHONE, "见附件", "不是一个电话号码"),
        ("contact_mobile", 1390000000, NOT_TEXT),
        ("contact_mobile", "1390000000", "不是一个11位手机号码"),
        (NUMBER, 1e300, "数字超出范围"),
        ("deletion", 180, NOT_TEXT),
        ("product", "——", "只有符号，无法确定是否填写"),
        ("product", "产" * 256, "超过 255 字"),
        ("principal_email", "pilot@@example", "不是一个邮箱地址"),
        ("licence_number", "见附件", "不是许可证编号的写法"),
        ("protection_level", 2.5, NO_OPTION),
        ("protection_level", True, NO_OPTION),
        ("protection_level", date(2019, 5, 16), NO_OPTION),
        ("protection_level", frozenset({"2", "3"}), "只能选一项，却选了多项"),
        ("channels", frozenset({"app", "fax"}), NO_OPTION),
        ("channels", "APP√ H5", "勾选标记的位置无法确定"),
        ("channels", "APP√、H5×", "勾选标记的位置无法确定"),
        ("channels", "APP：是；传真：是", NO_OPTION),
        ("channels", "传真", NO_OPTION),
    ],
)
def test_what_could_mean_two_things_is_not_guessed(key: str, found: Found, why: str) -> None:
    with pytest.raises(Unclear) as caught:
        read(FIELDS[key], found)
    assert str(caught.value) == why


def test_days_are_counted_from_the_workbooks_own_epoch() -> None:
    assert read(FIELDS[DAY], 43601 - 1462, epoch=EPOCH_1904) == "2019-05-16"


@pytest.mark.parametrize(
    ("key", "value", "current", "same"),
    [
        (NUMBER, 12_000, 12_000, True),
        (NUMBER, 12_000, "12,000 个", True),
        (NUMBER, 12_000, "约12000", False),
        (NUMBER, 0, "", False),
        (DAY, "2019-05-16", "2019年5月16日", True),
        (DAY, "2019-05-16", "2019年5月17日", False),
        ("channels", ["app", "h5"], ["h5", "app"], True),
        ("channels", ["app", "h5"], ["app"], False),
        ("channels", ["app"], "app", False),
    ],
)
def test_a_value_is_the_same_however_it_was_typed(key: str, value: Any, current: Any, same: bool) -> None:
    assert is_same(FIELDS[key], value, current) is same


def test_a_box_without_a_word_chooses_nothing() -> None:
    """Labels that are all suffix leave no short name, not an empty one that would fit a bare box."""
    area = FormField("area", "地区", Kind.CHOICE, choices=(("1", "省"), ("2", "其他")))
    with pytest.raises(Unclear) as caught:
        read(area, "☑ □其他")
    assert (str(caught.value), read(area, "☑省 □其他")) == (NO_OPTION, "1")
