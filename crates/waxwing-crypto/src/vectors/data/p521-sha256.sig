0‡BQ´ÖuOâfüCr¸v‚ºìÀ<Æ,ò0<’³R`e‡n%ÇÁåvHò;sVMgöoÕ'ÕIr!çØu‰á§AJC¨1cÖßF
¯aR&•ò¥‹•ÀdM‡å*¡£G‘nOzr“Àm¾"Î?X&Jý#pL»c²›“}æÉÙI§ìü