"""The description of the service (WSDL 1.1, document/literal wrapped), from which callers make their stubs."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import quoteattr  # nosec B406 # it writes only

from filings.soap.envelope import NAMESPACE

_CALLER: Final = {"ispId": "long", "userName": "string", "randVal": "string", "pwdHash": "string"}
PARAMETERS: Final = {
    "isp_upload": _CALLER
    | {
        "beianInfo": "string",
        "beianInfoHash": "string",
        "dataSequence": "long",
        "encryptAlgorithm": "int",
        "hashAlgorithm": "int",
        "compressionFormat": "int",
    },
    "isp_querypreviousupload": _CALLER | {"hashAlgorithm": "int"},
    "isp_download": _CALLER | {"hashAlgorithm": "int"},
    "isp_downloadack": _CALLER | {"hashAlgorithm": "int", "fileName": "string"},
}
"""Name of the call → its arguments in order, each with its type. Every call returns one string."""


def wsdl(address: str) -> bytes:
    """The description of the service at ``address``."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="ISPWebService" targetNamespace="{NAMESPACE}" xmlns:tns="{NAMESPACE}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <wsdl:types>
    <xs:schema targetNamespace="{NAMESPACE}">
{"".join(map(_elements, PARAMETERS))}    </xs:schema>
  </wsdl:types>
{"".join(map(_messages, PARAMETERS))}  <wsdl:portType name="upDownLoad">
{"".join(map(_operation, PARAMETERS))}  </wsdl:portType>
  <wsdl:binding name="upDownLoadSoapBinding" type="tns:upDownLoad">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
{"".join(map(_bound, PARAMETERS))}  </wsdl:binding>
  <wsdl:service name="ISPWebService">
    <wsdl:port name="upDownLoad" binding="tns:upDownLoadSoapBinding">
      <soap:address location={quoteattr(address)}/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
""".encode()


def _elements(name: str) -> str:
    return _element(name, PARAMETERS[name]) + _element(f"{name}Response", {"return": "string"})


def _element(name: str, members: dict[str, str]) -> str:
    listed = "".join(f'<xs:element name="{member}" type="xs:{kind}"/>' for member, kind in members.items())
    return (
        f'      <xs:element name="{name}"><xs:complexType><xs:sequence>{listed}'
        "</xs:sequence></xs:complexType></xs:element>\n"
    )


def _messages(name: str) -> str:
    return "".join(
        f'  <wsdl:message name="{one}"><wsdl:part name="parameters" element="tns:{one}"/></wsdl:message>\n'
        for one in (name, f"{name}Response")
    )


def _operation(name: str) -> str:
    return (
        f'    <wsdl:operation name="{name}"><wsdl:input message="tns:{name}"/>'
        f'<wsdl:output message="tns:{name}Response"/></wsdl:operation>\n'
    )


def _bound(name: str) -> str:
    body = '<soap:body use="literal"/>'
    return (
        f'    <wsdl:operation name="{name}"><soap:operation soapAction=""/>'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>\n"
    )
