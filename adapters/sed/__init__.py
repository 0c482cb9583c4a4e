"""СЭД: folders of МЭДО, its containers, and ГОСТ Р 53898."""
